"""pyproject.toml, constraints.txt, environment.yml and the Makefile tell the same story."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from src.__main__ import commands
from tests.helpers.paths import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
GPU_ONLY = re.compile(r"vllm|nvidia|cuda|flash|triton|bitsandbytes")
DISTRIBUTION = {  # import name -> distribution, where the two differ
    "hydra": "hydra-core",
    "hydra_plugins": "hydra-submitit-launcher",
    "lingua": "lingua-language-detector",
    "yaml": "pyyaml",
}


def requirements(extra: str | None = None) -> list[Requirement]:
    """The direct dependencies, or those of one extra."""
    listed = PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    return [Requirement(line) for line in listed]


def everything() -> list[Requirement]:
    return requirements() + [r for extra in PROJECT["optional-dependencies"] for r in requirements(extra)]


def constraint_lines() -> list[Requirement]:
    lines = (line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def pins() -> dict[str, str]:
    """Distribution name -> pinned version."""
    return {canonicalize_name(r.name): next(iter(r.specifier)).version for r in constraint_lines()}


def test_constraints_are_exact_single_and_without_local_suffix() -> None:
    names = [canonicalize_name(r.name) for r in constraint_lines()]
    assert len(names) == len(set(names))
    assert [str(r) for r in constraint_lines() if [s.operator for s in r.specifier] != ["=="]] == []
    assert [str(r) for r in constraint_lines() if "+" in str(r.specifier) or "*" in str(r.specifier)] == []


def test_every_direct_dependency_is_pinned_within_its_range() -> None:
    pinned = pins()
    missing = [r.name for r in everything() if canonicalize_name(r.name) not in pinned]
    assert missing == []
    outside = [str(r) for r in everything() if not r.specifier.contains(pinned[canonicalize_name(r.name)])]
    assert outside == []


def test_extras() -> None:
    assert set(PROJECT["optional-dependencies"]) == {
        "dev",
        "gpu",
        "slurm",
        "real",
        "bench",
        "tensorboard",
        "trackio",
        "docs",
    }
    assert {r.name for r in requirements("gpu")} == {"vllm"}


def test_the_laptop_install_names_no_gpu_package() -> None:
    assert [r.name for r in requirements() + requirements("dev") if GPU_ONLY.search(r.name)] == []


def test_nothing_but_torch_brings_a_gpu_package() -> None:
    """Follows the installed metadata from direct dependencies. Torch brings CUDA only in its GPU build."""
    pending = [canonicalize_name(r.name) for r in requirements() + requirements("dev")]
    seen = {"torch"}
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            listed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # another platform's, or not part of this environment
            continue
        needed = [Requirement(line) for line in listed]
        pending += [canonicalize_name(r.name) for r in needed if not r.marker or r.marker.evaluate({"extra": ""})]
    assert sorted(name for name in seen if GPU_ONLY.search(name)) == []


def test_every_library_that_src_imports_is_declared() -> None:
    declared = {canonicalize_name(r.name) for r in everything()}
    undeclared = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [node.module]
            for top in {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"src"}:
                if canonicalize_name(DISTRIBUTION.get(top, top)) not in declared:
                    undeclared.add(f"{path.relative_to(ROOT)}: {top}")
    assert undeclared == set()


def test_environment_yml_installs_the_same_set() -> None:
    """Conda gives Python and make only; the rest is pip's, from the same two files."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == PROJECT["name"]
    *conda, pip = environment["dependencies"]
    python = next(line.removeprefix("python=") for line in conda if line.startswith("python="))
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)
    assert {re.split("[=<>]", line)[0] for line in conda} == {"python", "pip", "make"}
    assert pip == {"pip": ["-c constraints.txt", "-e .[dev]"]}


@pytest.mark.parametrize(
    "name",
    [
        "Makefile",
        "pyproject.toml",
        "constraints.txt",
        "environment.yml",
        ".ci/run",
        ".pre-commit-config.yaml",
    ],
)
def test_no_host_is_named(name: str) -> None:
    """Where packages come from is the reader's own setting of pip."""
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url", (ROOT / name).read_text()) == []


def test_make_lists_its_targets() -> None:
    """`make` alone is the help, and each target the documentation promises is in it."""
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("  make ")}
    promised = "help setup demo table-main base-model bench test test-slow lint metrics-doc clean"
    assert listed >= set(promised.split())


def test_setup_passes_the_constraints(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "-n", "setup", f"VENV={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    installs = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert len(installs) == 1
    assert '-c constraints.txt --editable ".[dev]"' in installs[0]


def test_ci_runs_lint_then_the_tests_then_the_engines() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line.strip() for line in script.read_text().splitlines()]
    order = [commands.index(f"timed make {target}") for target in ("lint", "test", "test-engines")]
    assert order == sorted(order)


def test_citation_states_the_project() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert [sorted(author) for author in citation["authors"]] == [["name"]]


def test_every_module_that_the_makefile_or_a_page_runs_is_a_command() -> None:
    """`python -m` of any other module does nothing, with exit code 0."""
    pages = [ROOT / "Makefile", *ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("experiments/**/*.md")]
    runs = {match for page in pages for match in re.findall(r"-m (src[\w.]*)(?: ([a-z][a-z-]*))?", page.read_text())}
    assert ("src", "launch") in runs and ("src.run", "") in runs
    for module, command in sorted(runs):
        if module == "src":
            assert not command or command in commands(), f"python -m src {command}"
            continue
        source = ROOT / Path(*module.split(".")).with_suffix(".py")
        assert '__name__ == "__main__"' in source.read_text(), f"python -m {module}"
