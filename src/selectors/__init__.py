"""Selectors: from the answers to one problem to one of them."""

SUPPORT = ("ballot",)
