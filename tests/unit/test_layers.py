"""The shape of `src/`: who may import whom, and what stays out of the light entry points."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYER = {
    "errors": 0,
    "algorithm": 0,
    "language": 1,
    "grading": 1,
    "rewards": 1,
    "data": 2,
    "models": 2,
    "rollout": 2,
    "distributed": 3,
    "reporting": 3,
    "stages": 4,
    "config": 4,
    "cluster": 4,
    "compose_errors": 4,
    "run": 4,
    "launch": 4,
    "composed": 4,
    "memory": 4,
    "show_prompt": 4,
    "status": 4,
    "compare": 4,
    "cost": 4,
    "sweep": 4,
}
# What layers 0 and 1 may import beside the standard library and `src`.
THIRD_PARTY = {
    "errors": set(),
    "algorithm": {"torch"},
    "language": {"lingua", "regex"},
    "grading": {"math_verify", "latex2sympy2_extended", "sympy"},
    "rewards": set(),
}
HEAVY = {
    *("torch", "transformers", "tokenizers", "safetensors", "peft", "accelerate", "datasets", "trl", "vllm"),
    *("lingua", "math_verify", "latex2sympy2_extended", "sympy"),
    *("numpy", "pandas", "pyarrow", "matplotlib", "wandb", "deepspeed", "httpx", "optuna", "scipy"),
}


def imports(source: str, package: str) -> list[tuple[int, str]]:
    """(line, absolute dotted name) of every import at any depth; `from a import b` gives `a.b`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, name.name) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            found += [(node.lineno, f"{base}.{name.name}") for name in node.names]
    return found


def modules() -> list[tuple[str, str, Path]]:
    """(component, package, path) of every module of `src`; the component is the name below `src`."""
    found = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("src", "__init__"):
            found.append((parts[1], ".".join(parts[:-1]), path))
    return found


def test_imports_reads_every_form() -> None:
    source = "import a.b\nfrom src import config\nfrom . import kl\nfrom ..data import spec\n"
    source += "def f():\n    import torch\n"
    names = [name for _, name in imports(source, "src.algorithm")]
    assert sorted(names) == ["a.b", "src.algorithm.kl", "src.config.schema", "src.data.spec", "torch"]


def test_every_component_has_a_layer() -> None:
    assert {component for component, _, _ in modules()} <= LAYER.keys()


def test_a_module_imports_from_its_own_layer_or_lower() -> None:
    upward = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for component, package, path in modules()
        for line, name in imports(path.read_text(), package)
        if name.startswith("src.") and LAYER[name.split(".")[1]] > LAYER[component]
    ]
    assert upward == []


def test_low_layers_import_only_their_own_libraries() -> None:
    foreign = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for component, package, path in modules()
        if component in THIRD_PARTY
        for line, name in imports(path.read_text(), package)
        if name.split(".")[0] not in sys.stdlib_module_names | THIRD_PARTY[component] | {"src"}
    ]
    assert foreign == []


def test_specs_and_schedules_import_no_library() -> None:
    """Configuration imports them all; anything heavy here would delay `--help`."""
    light = [
        (package, path)
        for _, package, path in modules()
        if path.name == "spec.py" or package == "src.algorithm.schedules" or path.name == "__init__.py"
    ]
    foreign = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for package, path in light
        for line, name in imports(path.read_text(), package)
        if name.split(".")[0] not in sys.stdlib_module_names | {"src"}
    ]
    assert foreign == []


@pytest.mark.parametrize("module", ["src.config.schema", "src.run", "src.launch"])
def test_light_entry_points_load_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
