"""Names of the files of a run stand in one file; what a run directory offers."""

import ast
from pathlib import Path

from src.store import directory
from src.store.directory import Run, RunDirectory
from tests.helpers.paths import ROOT

NAMES = {value for name, value in vars(directory).items() if name.isupper() and isinstance(value, str)}
FILES = {name for name in NAMES if "." in name}
FOLDERS = {directory.ROLLOUT_FOLDER, directory.CHECKPOINTS, directory.PARTS}


def docstrings(tree):
    """The nodes of all docstrings of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            yield node.body[0].value


def spelled(source):
    """(line, text) of the strings outside docstrings that spell a file of a run, alone or at the end of a path, and of the
    folders that a path is made with."""
    tree = ast.parse(source)
    left_out = {id(node) for node in docstrings(tree)}
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        match node:
            case ast.Constant(value=str(text), lineno=line) if text.rpartition("/")[2] in FILES:
                yield line, text
            case ast.BinOp(op=ast.Div(), right=ast.Constant(value=text, lineno=line)) if text in FOLDERS:
                yield line, text


def test_a_name_that_is_spelled_is_seen():
    source = '"""config.yaml"""\npath = folder / "records.parquet"\ndef f():\n    """done.json"""\n    return f"*/{x}/done.json"\n'
    assert list(spelled(source)) == [(2, "records.parquet"), (5, "/done.json")]
    assert list(spelled('a = b / "rollouts"\nc = {"rollouts": 1}\n')) == [(1, "rollouts")]


def test_names_of_files_are_spelled_in_one_place():
    assert {"config.yaml", "records.parquet", "metrics.jsonl", "done.json", "sweep.json"} <= FILES
    twice = [
        f"{path.relative_to(ROOT)}:{line} spells {text}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        if path != Path(directory.__file__)
        for line, text in spelled(path.read_text(encoding="utf-8"))
    ]
    assert twice == []


def test_every_name_is_another():
    names = [value for name, value in vars(directory).items() if name.isupper() and isinstance(value, str)]
    assert len(names) == len(set(names)) > 20


def test_a_run_offers_what_its_stages_left(tmp_path):
    bare = Run.of(tmp_path, "sft", 1)
    assert (bare.metrics, bare.rollouts, bare.method, bare.seed) == (None, None, "sft", 1)
    assert bare.records == tmp_path / "evaluate" / "records.parquet" and bare.config == tmp_path / "config.yaml"
    paths = RunDirectory(tmp_path)
    paths.rollouts.mkdir(parents=True)
    paths.metrics.touch()
    run = Run.of(tmp_path, "grpo", 1)
    assert run.metrics == tmp_path / "grpo" / "metrics.jsonl" and run.rollouts == tmp_path / "grpo" / "rollouts"
