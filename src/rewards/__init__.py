# Modules beside `base` that are no rewards.
SUPPORT = ("batch", "examples", "measures", "part", "repetition", "settings")
