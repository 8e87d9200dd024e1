"""`python -m tests.helpers.keeps_old_weights` is `python -m src.run` with a vLLM engine that takes over weights once and never again: what the probe is for."""

import runpy

from src.rollout.engines.vllm import VllmEngine

load = VllmEngine.load


def once(self, weights):
    if not self.loads:
        load(self, weights)


if __name__ == "__main__":
    VllmEngine.load = once
    runpy.run_module("src.run", run_name="__main__")
