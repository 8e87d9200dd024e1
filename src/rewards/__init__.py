SUPPORT = ("examples", "gates", "part")  # modules beside `base` that are no rewards
