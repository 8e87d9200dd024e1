"""What the documentation shows can be run: files and examples as they stand, command lines as far as they compose."""

from __future__ import annotations

import argparse
import ast
import doctest
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from omegaconf import OmegaConf

from src.__main__ import commands, main
from src.common.registry import COMPONENTS, CONF, choices
from src.config.debug import smallest
from src.config.schema import Config
from src.store.records import ROLLOUTS
from src.store.rollouts import write_rollouts
from tests.helpers.configs import FILES, HERE, compose_node
from tests.helpers.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
GROUPS = {path.name for path in CONF.iterdir() if path.is_dir()}
COMPOSED = ("run", "memory", "show-prompt", "calibrate")  # commands whose arguments are settings
OPTIONS = {"-m", "--cfg", "job", "--resolve", "--help", "--package", "reward"}


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    language: str
    text: str


def blocks_of(path: Path) -> list[Block]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [Block(path.name, language, text) for language, text in fenced]


BLOCKS = [block for path in PAGES for block in blocks_of(path)]


def files_shown() -> dict[str, str]:
    """Path -> content of every block that begins with the path of a file."""
    files = {}
    for block in BLOCKS:
        named = re.match(r"# ((?:src|conf|tests)/\S+\.(?:py|yaml))\b", block.text)
        if named:
            files[named[1]] = block.text
    return files


def command_lines() -> list[str]:
    """Every line of a block without a language that begins with a program, continued lines joined, comments removed."""
    lines = [
        re.sub(r"\s+#.*|\s+\[key=value \.\.\.\]", "", line).strip()
        for block in BLOCKS
        if not block.language
        for line in block.text.replace("\\\n", " ").splitlines()
    ]
    single = [part.strip() for line in lines for part in line.split("&&")]
    return sorted({line for line in single if line.startswith(("python ", "make ", "wandb "))})


def overrides_of(words: list[str]) -> list[str]:
    """The settings of a command line, with the first of each `a,b` of `-m`, and a file that exists for what is left open."""
    settings = [word for word in words if word not in OPTIONS]
    if "-m" in words:
        settings = [word.split(",")[0] for word in settings]
    settings = [re.sub(r"=\.\.\.$", f"={HERE}", word) for word in settings]
    settings = [word for word in settings if not word.startswith("cluster=slurm")]  # needs SLURM's extra to compose
    given = {word.partition("=")[0] for word in settings}
    return settings + [text for text in FILES if text.partition("=")[0] not in given and "scale=distill" in str(words)]


class Parsed(Exception):
    """The arguments of a command were read; nothing more is wanted of it."""


def parse(name: str, arguments: list[str]) -> argparse.Namespace:
    """What the command's own parser makes of the arguments. Raises `SystemExit` where it refuses them."""

    def reading_alone(read):
        def parsed(parser, *given, **others):
            raise Parsed(read(parser, *given, **others))

        return parsed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Parsed) as caught:
        for way in ("parse_args", "parse_intermixed_args"):
            patch.setattr(argparse.ArgumentParser, way, reading_alone(getattr(argparse.ArgumentParser, way)))
        importlib.import_module(commands()[name]).main(arguments)
    (options,) = caught.value.args
    return options


def test_arguments_that_a_command_does_not_know_are_refused(capsys):
    assert parse("rollouts", ["runs/x", "--step", "3"]).step == 3
    with pytest.raises(SystemExit):
        parse("rollouts", ["runs/x", "--stepp", "3"])
    assert "--stepp" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["python -m src", "python -m src status"])
def test_quick_commands_of_the_pages_run(line, tmp_path, monkeypatch, capsys):
    assert line in command_lines()
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "runs/laptop/grpo/seed0"
    directory.mkdir(parents=True)
    OmegaConf.save(compose_node("+experiment=grpo"), directory / "config.yaml", resolve=True)
    assert main(shlex.split(line)[3:]) == 0
    assert capsys.readouterr().out


def test_the_pages_have_what_is_tested_here():
    assert len(files_shown()) >= 6
    assert len(command_lines()) >= 20


@pytest.mark.parametrize("page", ["library.md", "rewards.md"])
def test_examples_give_what_they_show(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    row = dict.fromkeys(column.name for column in ROLLOUTS) | {"step": 1, "correct": True}
    write_rollouts(tmp_path / "runs/laptop/grpo/seed0/grpo/rollouts", 1, [row])
    text = "\n".join(block.text for block in BLOCKS if block.page == page and block.text.startswith(">>>"))
    examples = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    assert len(examples.examples) >= 7
    runner = doctest.DocTestRunner()
    runner.run(examples)
    assert runner.failures == 0


def test_no_promised_import_loads_hydra():
    text = "\n".join(block.text for block in BLOCKS if block.page == "library.md")
    imports = re.findall(r"^>>> (from src\S* import .*)$", text, flags=re.MULTILINE)
    assert len(imports) >= 10
    code = "\n".join([*imports, "import sys", "print(sorted({'hydra', 'omegaconf'} & set(sys.modules)))"])
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_files_shown_work_when_added(tmp_path):
    """In a copy of the repository: tests and doctests of the files pass, and their yaml files are a configuration."""
    for folder in ("src", "conf", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    files = files_shown()
    for name, text in files.items():
        assert not (tmp_path / name).exists(), f"{name} is there already; the page must show a new one"
        (tmp_path / name).write_text(text)
    chosen = [Path(name).parts[1:] for name in files if name.startswith("conf/")]
    code = "from tests.helpers.configs import compose\nfrom src.config.checks import check\n"
    code += "\n".join(f"check(compose('+experiment=grpo', '{group}={Path(name).stem}'))" for group, name in chosen)
    tests = [name for name in files if name.startswith("tests/")]
    modules = [name for name in files if name.startswith("src/")]
    for command in (
        ["-c", code],
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--doctest-modules", *tests, *modules],
    ):
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def messages_shown() -> list[str]:
    """The fixed parts of the messages of the page on troubleshooting: what stands before, between and after `<...>`, `...`, and `'...'`."""
    section = (ROOT / "docs" / "troubleshooting.md").read_text()
    messages = re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE)
    parts = [
        part.strip(" .?")
        for text in messages
        for part in re.split(r"<[^>]*>|\.\.\.|'[^']*'|\bgrpo\b|data\.sft, ", text)
    ]
    return sorted({part for part in parts if len(part) > 1})


def literals(tree: ast.AST) -> Iterator[str]:
    """Every text of a module, also the fixed parts of f-strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_messages_of_troubleshooting_are_those_of_the_code():
    texts = [text for path in (ROOT / "src").rglob("*.py") for text in literals(ast.parse(path.read_text()))]
    shown = messages_shown()
    assert len(shown) >= 6
    assert [part for part in shown if not any(part in text for text in texts)] == []


@pytest.mark.parametrize("line", command_lines())
def test_command_lines_are_valid(line):
    program, *words = shlex.split(re.sub(r"<[^>]*>", str(HERE), line))
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
        assert set(words) <= set(targets)
    elif program == "wandb":
        assert words[0] in ("agent", "sync") or (ROOT / words[1]).is_file()
    else:
        assert words[0] == "-m"
        if words[1] == "src":
            name, *rest = words[2:] or ["run"]
            assert name in commands()
            if name in ("launch", "sweep"):
                assert (ROOT / rest[0]).exists()
            if name not in COMPOSED and words[2:]:
                parse(name, rest)
            rest = rest if name in COMPOSED else []
        else:
            assert words[1] == "src.run"
            rest = words[2:]
        rest = rest[: rest.index(">")] if ">" in rest else rest
        if rest and "--help" not in rest:
            compose_node(*smallest(overrides_of(rest)))


def test_the_makefile_runs_commands_that_exist():
    modules = re.findall(r"\$\(PY\) -m (\S+)(?: (\S+))?", (ROOT / "Makefile").read_text())
    assert {module for module, _ in modules} <= {"pip", "pytest", "ruff", "mypy", "src"}
    launched = [name for module, name in modules if module == "src"]
    assert "launch" in launched
    assert set(launched) <= set(commands())


def inline_settings() -> list[str]:
    """`key=value` and `key.key` in running text."""
    text = "\n".join(path.read_text() for path in PAGES)
    heads = set(Config.__dataclass_fields__) | GROUPS
    spans = re.findall(r"`\+?([a-z_]+(?:\.\w+)*(?:=[^`\s,]*)?)`", text)
    return sorted({span for span in spans if re.split(r"[.=]", span)[0] in heads and re.search("[.=]", span)})


@pytest.mark.parametrize("setting", inline_settings())
def test_settings_in_the_text_exist(setting):
    written = {Path(line.rpartition("> ")[2]).stem for line in command_lines() if "> " in line}
    shown = {Path(name).stem for name in files_shown()} | written
    key, _, value = setting.partition("=")
    head = key.split(".")[0]
    if key in GROUPS:
        assert value.rstrip("*_.") in ("", "<name>", "<engine>", *shown) or any(
            name.startswith(value.rstrip("*_.")) for name in choices(key)
        )
    elif head not in COMPONENTS and not key.endswith((".py", ".yaml", ".md")):
        node = compose_node("+experiment=adamame_grpo")
        parent = OmegaConf.select(node, key.rpartition(".")[0]) if "." in key else node
        assert parent is not None and key.rpartition(".")[2] in parent


def anchors(path: Path) -> set[str]:
    """Where a link into a page may point: its headings as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_links_between_pages_lead_somewhere():
    pages = [*PAGES, ROOT / "CHANGELOG.md", *sorted((ROOT / "experiments").rglob("*.md"))]
    broken = []
    for page in pages:
        for link in re.findall(r"\]\((?!http)([^)\s]+)\)", page.read_text()):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.name}: {link}")
    assert broken == []
