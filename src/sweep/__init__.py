"""Searches over settings: W&B's sweep files without an account or a network. `python -m src.sweep sweeps/<name>.yaml`."""
