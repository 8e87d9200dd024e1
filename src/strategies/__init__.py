"""Strategies: how a question is put to the model."""

SUPPORT = ("routing",)
