"""Finished runs from anywhere as one report: which of them are seeds of one method, what it is called, and what sets its
evaluation apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src.common.errors import UserError
from src.config.directory import differences
from src.config.paths import PATHS
from src.config.unchanging import CHANGE_NOTHING, is_among
from src.store.directory import CONFIG, INPUTS, MODEL, RunDirectory
from src.store.finished import RECORDS, SEED, records_at

BY_SEED = ("seed", "parent")  # of the inputs of a stage: what differs between seeds of one recipe
ASKED = (  # settings of an evaluation by which the same question is answered differently
    *("evaluation.samples", "evaluation.temperature", "evaluation.top_p", "data.instruction", "model.thinks"),
    *("rollout.maximum_new_tokens", "rollout.temperature", "rollout.top_p", "rollout.top_k", "rollout.min_p"),
    *("strategy", "grader.rules", "detector"),
)
MADE = "from "  # before the stage that a model or file comes from
LONGEST = 40  # characters of what sets a method apart in its name
Settings = dict[str, str]  # dotted key -> value as JSON


@dataclass
class Method:
    """The `runs` of one method, seed -> directory; `config` is that of the first."""

    name: str
    config: Mapping[str, Any]
    runs: dict[int, Path] = field(default_factory=dict)

    @property
    def records(self) -> dict[int, Path]:
        return {seed: RunDirectory(path).records for seed, path in sorted(self.runs.items())}

    @property
    def model(self) -> str:
        """What was evaluated, or trained from: a world's model, a folder or hub name, or a file of completions."""
        return model_of(self.config)


def directories(path: Path) -> list[Path]:
    """The run directories at `path`: itself, or its folders seed*.

    Raises:
        UserError: there is no finished evaluation of a run.
    """
    runs = [file.parent.parent for file in records_at(path)]
    for run in runs:
        if path.is_file() or not (run / CONFIG).is_file():
            raise UserError(f"{path}: a run must be a directory with {CONFIG} and {RECORDS}. Give the directory")
    return runs


def methods_of(runs: Sequence[Path], names: Mapping[Path, str] | None = None) -> list[Method]:
    """The runs by method, in the order of their first ones. Runs are seeds of one method where their settings are the same but
    for the seed, and the models and data that they take from other runs were made with the same settings; or where
    `names` gives them one name. Methods of one name are told apart by the settings in which they differ.

    Raises:
        UserError: two runs of a method have the same seed.
    """
    settings = {run: _settings(run) for run in dict.fromkeys(runs)}
    named = names or {}
    groups: dict[tuple[str, str], list[Path]] = {}
    for run, (config, own) in settings.items():
        key = (named[run], "") if run in named else (str(config["method"]), json.dumps(own, sort_keys=True))
        groups.setdefault(key, []).append(run)
    methods = []
    for (name, _), members in groups.items():
        others = [settings[runs[0]][1] for (other, _), runs in groups.items() if other == name]
        config, own = settings[members[0]]
        method = Method(name if len(others) == 1 else _apart(name, own, others, members[0]), config)
        for run in members:
            seed = int(settings[run][0].get("seed") or 0)
            if seed in method.runs:
                raise UserError(
                    f"{method.name}: each seed must be there once; {method.runs[seed]} and {run} are both {seed}. Give one, or "
                    "names of their own: <name>=<run>"
                )
            method.runs[seed] = run
        methods.append(method)
    return methods


def evaluated_differently(methods: Sequence[Method]) -> list[str]:
    """A sentence for each setting that was not the same when the methods answered the questions."""
    lines = []
    for key in ASKED:
        values = {method.name: json.dumps(_value(method.config, key), sort_keys=True) for method in methods}
        if len(set(values.values())) > 1:
            texts = (
                f"{value:.60} in {', '.join(name for name, own in values.items() if own == value)}"
                for value in dict.fromkeys(values.values())
            )
            lines.append(f"not evaluated alike: {key} is {'; '.join(texts)}")
    return lines


def model_of(config: Mapping[str, Any]) -> str:
    """The model of a run's configuration, through the runs that it was trained in before to the one that all began with; or the
    file of completions in its place."""
    if config["benchmark"]["completions"]:
        return f"none: completions of {Path(config['benchmark']['completions']).name}"
    path = str(config["model"]["path"])
    while path not in ("", "world") and (note := _note(Path(path).parent)):
        path = str(note.get("model") or "")
    return path if path not in ("", "world") else f"world ({config['world']['name']})"


def benchmark_of(config: Mapping[str, Any]) -> str:
    """The benchmark of a run's configuration, and where it comes from."""
    benchmark = config["benchmark"]
    name = str(benchmark["_target_"]).rsplit(".", 1)[-1]
    fetched = benchmark["source"] and not benchmark["path"]
    where = f"{benchmark['source']} at {benchmark['revision']}" if fetched else benchmark["path"]
    return f"{name} ({where})" if where else name


def _settings(run: Path) -> tuple[dict[str, Any], Settings]:
    """The configuration of a run, and of it what sets its method apart from others."""
    import yaml

    config = yaml.safe_load((run / CONFIG).read_text(encoding="utf-8"))
    if not isinstance(config, dict) or "method" not in config:
        raise UserError(f"{run / CONFIG}: must be the configuration of a run; it is damaged. Give its command again")
    own = {pair[0]: pair[1] for pair in differences(config, {})}
    return config, {key: _recipe(value) if key in PATHS else value for key, value in own.items()}


def _recipe(value: str) -> str:
    """Of a model or file that a stage of a run has made: how it was made, without the seed; of another the value as it is."""
    place = json.loads(value)
    if isinstance(place, list):
        return json.dumps([_recipe(json.dumps(one)) for one in place])
    folder = Path(str(place)).parent
    note = _note(folder)
    if not note:
        return value
    inputs = {key: own for key, own in note["inputs"].items() if key not in BY_SEED}
    if isinstance(inputs.get("model"), dict):
        inputs["model"] = {key: own for key, own in inputs["model"].items() if key != "path"}
    start = str(note.get("model") or "")
    stage = folder.name.split("-")[0]
    above = _recipe(json.dumps(start)) if start.endswith(f"/{MODEL}") else start
    return json.dumps([f"{MADE}{stage}", inputs, above], sort_keys=True)


def _note(folder: Path) -> dict[str, Any]:
    """What a stage noted of its inputs in its folder; empty where it is none."""
    try:
        note = json.loads((folder / INPUTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) and isinstance(note.get("inputs"), dict) else {}


def _apart(name: str, own: Settings, others: Sequence[Settings], run: Path) -> str:
    """The name with the settings in which a method differs from others; with the hash of its folder where they are too long."""
    texts = []
    for key in sorted({key for other in others for key in other.keys() | own.keys() if other.get(key) != own.get(key)}):
        value = json.loads(own.get(key, "null"))
        if isinstance(value, list) and value and str(value[0]).startswith(MADE):
            texts.append(value[0])
        else:
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            texts.append(f"{key.rpartition('.')[2]} {shown.replace(chr(34), '')}")
    text = ", ".join(texts)
    match = SEED.fullmatch(run.resolve().name)
    suffix = match[2] if match and match[2] else f" {run.resolve().name}"
    return f"{name} ({text})" if len(text) <= LONGEST else f"{name}{suffix}"


def _value(config: Mapping[str, Any], key: str) -> Any:
    value: Any = config
    for name in key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping):
        return value
    return {name: own for name, own in value.items() if not is_among(f"{key}.{name}", CHANGE_NOTHING)}
