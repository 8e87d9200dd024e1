"""Which questions make a set of prompts: duplicates, leaks, translations, balance."""
