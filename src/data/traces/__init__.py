"""Worked examples from a teacher: asked over the network, kept, filtered."""
