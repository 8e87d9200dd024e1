"""Mixes: what SFT learns from, made of worked examples."""

SUPPORT = ("sentences",)
