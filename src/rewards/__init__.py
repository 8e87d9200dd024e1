# Modules beside `base` that are no rewards.
SUPPORT = ("batch", "evidence", "examples", "measures", "part", "repetition", "settings")
