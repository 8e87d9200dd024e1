"""Our launcher in Hydra, under the name that `conf/cluster/base/slurm.yaml` gives it."""

from __future__ import annotations

import os
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from omegaconf import OmegaConf

from src.common.errors import UserError

NAME = "hydra_plugins.adamame.Slurm"  # Hydra asks for launchers of this name space; ours need not lie there


class Absent(Launcher):
    """Stands for the launcher where submitit is not installed, so that configurations for a cluster still compose."""

    def setup(self, **_: Any) -> None:
        raise UserError("cluster=slurm_* needs hydra-submitit-launcher, which is not installed: make setup-slurm")

    def launch(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


def register() -> None:
    """Let Hydra find the launcher, and resolve `${process:}`, which keeps submissions of the same second apart."""
    OmegaConf.register_new_resolver("process", os.getpid, replace=True)
    plugins = Plugins.instance()
    try:
        from src.orchestration.cluster.launcher import Slurm
    except ImportError:
        ConfigStore.instance().store(group="hydra/launcher", name="submitit_slurm", node={"_target_": NAME})
        plugins.class_name_to_class[NAME] = Absent
    else:
        plugins.class_name_to_class[NAME] = Slurm
