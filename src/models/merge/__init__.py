SUPPORT = ("accept", "checkpoint", "compare", "stream", "trim")  # modules beside `base` that are no rules
