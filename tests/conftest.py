"""Settings for every test process; nothing heavy is imported here.

The variables must stand before torch is first imported, so they are set at import and not in a fixture.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

os.environ["OMP_NUM_THREADS"] = "1"  # one thread per pytest worker: workers share the cores
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"  # tests neither download nor log in
os.environ["WANDB_MODE"] = "offline"

# A busy machine makes single examples slow without anything being wrong; no database keeps runs independent.
settings.register_profile("adamame", deadline=None, database=None)
settings.load_profile("adamame")


@pytest.fixture(scope="session")
def compose():
    """`compose(*overrides)`: the configuration of a command line, built and not checked."""
    from tests.helpers.configs import compose

    return compose
