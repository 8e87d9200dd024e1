"""Every command of the project: `python -m src <command> [...]`; without a command, the list of them."""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
import runpy
import sys
from collections.abc import Sequence

import src.commands
from src.common.console import carry_out, fail
from src.common.errors import nearest

RUN = "run"  # Hydra's own command line: `python -m src.run`


def commands() -> dict[str, str]:
    """Name of each command -> its module; a module of `src.commands` is one, but for `base`."""
    names = [info.name for info in pkgutil.iter_modules(src.commands.__path__) if info.name != "base"]
    return {RUN: "src.run"} | {name.replace("_", "-"): f"src.commands.{name}" for name in sorted(names)}


def summary(module: str) -> str:
    """The first line of a module's docstring; the module is read and not imported, so that the list is there at once."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    with open(spec.origin, encoding="utf-8") as file:
        docstring = ast.get_docstring(ast.parse(file.read())) or ""
    return docstring.splitlines()[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand over to a command; its exit code."""
    name, *rest = (sys.argv[1:] if arguments is None else list(arguments)) or ["--help"]
    modules = commands()
    if name in ("-h", "--help"):
        print("python -m src <command> [...]; <command> --help tells more\n")
        print("\n".join(f"  {command:12} {summary(module)}" for command, module in modules.items()))
        return 0
    if name not in modules:
        return fail(f"there is no command {name!r}. {nearest(name, list(modules))}")
    if name == RUN:
        sys.argv = ["src.run", *rest]
        runpy.run_module("src.run", run_name="__main__", alter_sys=True)
        return 0
    code: int = importlib.import_module(modules[name]).main(rest)
    return code


if __name__ == "__main__":
    sys.exit(carry_out(main))
