"""The configuration of a command line, for commands that look at a run and do not start it."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf, open_dict

from src.common.errors import ConfigError, UserError
from src.common.registry import COMPONENTS, CONF, choices, components
from src.config.checks import check
from src.config.debug import smallest
from src.config.explain import explain
from src.config.paths import expand_paths, expanded, readable
from src.config.schema import Config
from src.language.table import CORE, LANGUAGES
from src.models.spec import WORLD_BASE
from src.store.directory import MODEL

# Files that only the user can name, `ASKED` in a yaml, and the stage that reads them: without it, nobody is asked. (`???`
# would not do: it does not replace a default.)
ASKED = "?"
OF_STAGES = {"data.sft": "sft", "data.prompts": "grpo", "benchmark.path": "evaluate"}


@dataclass(frozen=True)
class Composition:
    """A configuration as Hydra composes it from a command line; references are not resolved, nothing is checked.
    `experiment` is what was chosen there (None: nothing)."""

    node: DictConfig
    experiment: str | None

    @staticmethod
    def without_hydra(node: DictConfig) -> Composition:
        """From a configuration that still holds Hydra's own, which is taken out of it."""
        experiment = node.hydra.runtime.choices.get("experiment")
        with open_dict(node):
            del node["hydra"]
        return Composition(node, experiment)


def compose(overrides: Sequence[str]) -> Composition:
    """The configuration of `+experiment=<name> [key=value ...]`, as `src.run` has it.

    Raises:
        UserError: it cannot be composed.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    register()
    # Inside of a command of Hydra's its own search path holds, which the user may have added to.
    inside = GlobalHydra.instance().is_initialized()
    try:
        with nullcontext() if inside else initialize_config_dir(str(CONF), version_base="1.3"):
            node = hydra_compose(
                "config", overrides=[readable(text) for text in smallest(overrides)], return_hydra_config=True
            )
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(explain(error)) from None
    return Composition.without_hydra(node)


def composed(overrides: Sequence[str], files: bool = True) -> Config:
    """The checked configuration of `+experiment=<name> [key=value ...]`, as `src.run` has it; without `files`, none of data
    need be given or be there.

    Raises:
        UserError: it cannot be composed, or cannot run.
    """
    config = build(compose(overrides).node, files)
    check(config, files)
    return config


@cache
def register() -> None:
    """Once for a process, put the root schema and every component's schema where Hydra finds them, and the resolver `share`: the whole part
    of a share of a number, as in `${share:0.2,${rollout.maximum_new_tokens}}`; `after` is `named_after`."""
    OmegaConf.register_new_resolver("share", lambda share, whole: int(float(share) * int(whole)), replace=True)
    OmegaConf.register_new_resolver("after", named_after, replace=True)
    store = ConfigStore.instance()
    root = _writable(OmegaConf.structured(Config))
    OmegaConf.set_struct(root.data.fields, False)
    OmegaConf.set_struct(root.calibration, False)
    store.store(name="schema", node=root)
    for group in COMPONENTS:
        for name, component in components(group).items():
            hints = typing.get_type_hints(component)
            rows: list[Any] = [("_target_", str, f"{component.__module__}.{component.__qualname__}")]
            rows += [
                (item.name, hints[item.name], _default(item)) for item in dataclasses.fields(component) if item.init
            ]
            schema = dataclasses.make_dataclass(component.__name__ + "Schema", rows)
            node = OmegaConf.structured(schema)
            for key in (key for key, hint, _ in rows if _open(hint)):
                OmegaConf.set_struct(node._get_node(key), False)
            store.store(group=f"schema/{group}", name=name, node=node)


def named_after(prefix: str, model: str, completions: str | None) -> str:
    """The name of an evaluation: `prefix` and what is evaluated, a model or a file of completions. The world's base model has
    none of its own."""
    if completions is None and model == WORLD_BASE:
        return prefix
    place = Path(expanded(str(model if completions is None else completions)))
    parts = [part for part in place.parts if part not in (MODEL, "/", ".", "..")]
    named = parts[-3:] if completions is None and place.name == MODEL else parts[-1:]  # of a run's model, the run
    name = re.sub(r"[^\w.-]+", "_", "-".join(named)).strip("._-")
    return f"{prefix}-{name.removesuffix('.jsonl')}" if name else prefix


def _open(hint: Any) -> bool:
    """Whether a setting takes new keys on the command line without a plus sign: a dictionary of dictionaries, such as
    `schedule.per_language`, or of texts, such as `benchmark.fields`. The keys of any other dictionary are those of its yaml, so
    that a wrong one is named."""
    values = typing.get_args(hint)[1:] if typing.get_origin(hint) is dict else ()
    return any(value is str or typing.get_origin(value) is dict for value in values)


def _writable(node: Any) -> Any:
    """Let a node be composed: frozen dataclasses, as all of ours are, make read-only nodes."""
    OmegaConf.set_readonly(node, False)
    for key in node:
        if OmegaConf.is_dict(child := node._get_node(key)) and not child._is_none() and not child._is_missing():
            _writable(child)
    return node


def _default(item: dataclasses.Field[Any]) -> Any:
    """The default of a field as a fresh field; one without a default must be given in the yaml."""
    if item.default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=item.default_factory)
    return dataclasses.field(default=MISSING if item.default is dataclasses.MISSING else item.default)


def build(node: DictConfig, files: bool = True) -> Config:
    """The composed configuration as typed objects, components instantiated; without `files`, those of data may be missing.

    Raises:
        ConfigError: a mandatory value is missing.
    """
    from hydra.utils import instantiate

    missing = sorted(OmegaConf.missing_keys(node))
    for key in [] if "stages" in missing else [key for key in OF_STAGES if OmegaConf.select(node, key) == ASKED]:
        if files and _asked(node, key):
            missing.append(key)
        else:
            OmegaConf.update(node, key, None)
    if "method" in missing:
        raise ConfigError(f"choose an experiment: +experiment=<name>, one of {', '.join(choices('experiment'))}")
    if missing:
        raise ConfigError(
            f"these settings have no value yet: {', '.join(sorted(missing))}. Give each on the command line"
        )
    expand_paths(node)
    plain = OmegaConf.to_container(node, resolve=True)
    assert isinstance(plain, dict)
    made = {group: _component(group, instantiate(node[group], _convert_="all")) for group in COMPONENTS}
    typed = {key: value for key, value in plain.items() if key not in COMPONENTS}
    merged = OmegaConf.merge(_writable(OmegaConf.structured(Config)), typed, dict.fromkeys(COMPONENTS))
    config = OmegaConf.to_object(merged)
    assert isinstance(config, Config)
    known = [*config.detector.languages, *_added(config)]
    return dataclasses.replace(config, **made, detector=dataclasses.replace(config.detector, languages=known))


def _added(config: Config) -> list[str]:
    """Languages of the world beyond those that it came with: the detector must tell them apart, too."""
    others = [code for code in config.world.languages if code in LANGUAGES and code not in CORE]
    return [code for code in others if code not in config.detector.languages]


def _component(group: str, made: Any) -> Any:
    """What was made of a group's settings. Raises `ConfigError` where they name no component, and so stay settings."""
    if not dataclasses.is_dataclass(made):
        raise ConfigError(
            f"the yaml of {group} must have one /schema/{group}/<module>@_here_ in its defaults, which says what it is a setting "
            f"of; this one has none (src/{COMPONENTS[group].removeprefix('src.').replace('.', '/')}/<module>.py)"
        )
    return made


def _asked(node: DictConfig, key: str) -> bool:
    """Whether a stage of the run reads the files that `key` names; a benchmark's are not, where completions are scored."""
    return OF_STAGES[key] in node.stages and not (key == "benchmark.path" and node.benchmark.completions is not None)
