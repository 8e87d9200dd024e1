"""The shape of `src/`: rooms in one order, no circles, and what stays out of the light entry points."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

# From the ground up: a module imports from its own room or from one before it.
ROOMS = (
    "common",
    "algorithm",
    "language",
    "models",
    "distributed",
    "services",
    "grading",
    "selectors",
    "rewards",
    "store",
    "data",
    "strategies",
    "analysis",
    "rollout",
    "tracking",
    "config",
    "reporting",
    "pipeline",
    "orchestration",
    "training",
    "stages",
    "commands",
)
# Command lines, on top of all rooms: `python -m src`, `python -m src.run`, and the older names of commands.
ENTRIES = ("__main__", "run", "compare", "launch", "memory", "show_prompt", "status", "sweep")
# What the lowest rooms may import beside the standard library and `src`.
THIRD_PARTY = {
    "common": {"yaml"},
    "algorithm": {"torch"},
    "language": {"lingua", "numpy", "regex"},
    "services": {"httpx"},
    "grading": {"math_verify", "latex2sympy2_extended", "sympy"},
    "selectors": set(),
    "rewards": {"torch"},
}
HEAVY = {
    *("torch", "transformers", "tokenizers", "safetensors", "peft", "accelerate", "datasets", "trl", "vllm"),
    *("lingua", "math_verify", "latex2sympy2_extended", "sympy"),
    *("numpy", "pandas", "pyarrow", "matplotlib", "wandb", "deepspeed", "httpx", "optuna", "scipy"),
}


def imports(source: str, package: str) -> list[tuple[int, str]]:
    """(line, absolute dotted name) of every import at any depth; `from a import b` gives `a.b`."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            lines += [(node.lineno, name.name) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            lines += [(node.lineno, f"{base}.{name.name}") for name in node.names]
    return lines


def modules() -> dict[str, Path]:
    """Dotted name -> path of every module of `src`, packages by their own name."""
    named = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


def room_of(module: str) -> str:
    """The folder, or the file, directly below `src`."""
    return module.split(".")[1]


def edges() -> dict[str, dict[str, int]]:
    """Module -> the modules of `src` that it imports, wherever in the file, with the line; that of a name is where it is."""
    named = modules()
    graph: dict[str, dict[str, int]] = {}
    for module, path in named.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        graph[module] = {}
        for line, name in imports(path.read_text(), package):
            target = name if name in named else name.rpartition(".")[0]
            if target.startswith("src.") and target in named and target != module:
                graph[module][target] = line
    return graph


def circle(graph: Mapping[str, Mapping[str, int]]) -> list[str]:
    """The modules of a circle of imports; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_reads_every_form() -> None:
    source = "import a.b\nfrom src import config\nfrom . import kl\nfrom ..data import spec\n"
    source += "def f():\n    import torch\n"
    names = [name for _, name in imports(source, "src.algorithm")]
    assert sorted(names) == ["a.b", "src.algorithm.kl", "src.config", "src.data.spec", "torch"]


def test_a_circle_is_found() -> None:
    assert set(circle({"a": {"b": 1}, "b": {"c": 1}, "c": {"a": 1}, "d": {}})) == {"a", "b", "c"}
    assert circle({"a": {"b": 1, "c": 2}, "b": {"c": 1}, "c": {}}) == []


def test_the_graph_has_the_imports_inside_functions() -> None:
    graph = edges()
    assert "src.training.zero" in graph["src.training.build"]  # inside `learner`
    assert len(graph) > 150 and sum(map(len, graph.values())) > 500


def test_every_module_is_in_a_room() -> None:
    rooms = {room_of(module) for module in modules() if module != "src"}
    assert rooms - set(ENTRIES) == set(ROOMS)
    assert {entry for entry in ENTRIES if (ROOT / "src" / f"{entry}.py").is_file()} == set(ENTRIES)


def test_a_module_imports_from_its_own_room_or_a_lower_one() -> None:
    floor = {room: number for number, room in enumerate(ROOMS)} | dict.fromkeys(ENTRIES, len(ROOMS))
    upward = [
        f"{module}:{line} imports {target}"
        for module, targets in edges().items()
        for target, line in targets.items()
        if module != "src" and floor[room_of(target)] > floor[room_of(module)]
    ]
    print(f"{len(ROOMS)} rooms, {len(upward)} upward imports")
    assert upward == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle(edges()) == []


def test_the_architecture_page_lists_the_rooms_in_their_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert tuple(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)) == ROOMS


def test_low_rooms_import_only_their_own_libraries() -> None:
    foreign = [
        f"{module}:{line} imports {name}"
        for module, path in modules().items()
        if module != "src" and room_of(module) in THIRD_PARTY
        for line, name in imports(path.read_text(), module.rpartition(".")[0])
        if name.split(".")[0] not in sys.stdlib_module_names | THIRD_PARTY[room_of(module)] | {"src"}
    ]
    assert foreign == []


def test_specs_and_schedules_import_no_library() -> None:
    """Configuration imports them all; anything heavy here would delay `--help`."""
    light = {
        module: path
        for module, path in modules().items()
        if path.name in ("spec.py", "__init__.py")
        or module.startswith("src.algorithm.schedules.")
        or module in ("src.config.stages", "src.config.cluster")
    }
    foreign = [
        f"{module}:{line} imports {name}"
        for module, path in light.items()
        for line, name in imports(path.read_text(), module.rpartition(".")[0])
        if name.split(".")[0] not in sys.stdlib_module_names | {"src"}
    ]
    assert foreign == []


@pytest.mark.parametrize(
    "module", ["src.config.compose", "src.run", "src.__main__", "src.commands.launch", "src.commands.status"]
)
def test_light_entry_points_load_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
