"""A GGUF file becomes a model folder once, only with the right checksum, and whole."""

import hashlib
import json
import sys
import zipfile

import pytest

from src.models import gguf
from src.models.foreign import CannotRun, ModelNotFound
from src.models.gguf import ORIGIN, from_gguf

CONTENT = b"GGUF and more"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def converted(monkeypatch):
    """The files that were converted; none of them is read."""
    files = []

    def convert(file, folder):
        assert file.read_bytes() == CONTENT
        files.append(file.name)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr(gguf, "_convert", convert)
    monkeypatch.setattr(gguf, "_description", lambda file: {"general.license": "mit"})
    return files


def wheel(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("package/__init__.py", "")
        for name in names:
            archive.writestr(name, CONTENT)
    return path


def test_a_wheel_is_unpacked_converted_and_noted_once(tmp_path, converted):
    source, folder = wheel(tmp_path / "package.whl", "package/small.gguf"), tmp_path / "models" / "small"
    note = from_gguf(source, folder, DIGEST)
    assert note == {"file": "small.gguf", "sha256": DIGEST, "bytes": 13, "general.license": "mit"}
    assert json.loads((folder / ORIGIN).read_text(encoding="utf-8")) == note
    assert from_gguf(source, folder, DIGEST) == note and converted == ["small.gguf"]
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


def test_a_file_with_another_checksum_is_refused_before_anything_is_written(tmp_path, converted):
    source = tmp_path / "small.gguf"
    source.write_bytes(CONTENT)
    with pytest.raises(ModelNotFound, match=f"must have the sha256 0123; got {DIGEST}"):
        from_gguf(source, tmp_path / "model", "0123")
    assert not converted and not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("names", "said"), [((), "it holds 0: -"), (("a.gguf", "b.gguf"), "it holds 2: a.gguf, b.gguf")]
)
def test_a_wheel_holds_one(tmp_path, names, said):
    with pytest.raises(ModelNotFound, match=said):
        from_gguf(wheel(tmp_path / "package.whl", *names), tmp_path / "model")


def test_what_is_no_such_file_is_named(tmp_path):
    with pytest.raises(ModelNotFound, match="there is no such file"):
        from_gguf(tmp_path / "small.gguf", tmp_path / "model")
    (tmp_path / "text.txt").write_text("text", encoding="utf-8")
    with pytest.raises(ModelNotFound, match="it is neither"):
        from_gguf(tmp_path / "text.txt", tmp_path / "model")


def test_another_model_is_not_overwritten(tmp_path, converted):
    source, folder = wheel(tmp_path / "package.whl", "small.gguf"), tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("mine", encoding="utf-8")
    with pytest.raises(ModelNotFound, match="must be empty, new, or made from the same file"):
        from_gguf(source, folder)
    assert (folder / "config.json").read_text(encoding="utf-8") == "mine" and not converted


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(CannotRun, match=r"pip install -e '\.\[real\]'"):
        from_gguf(wheel(tmp_path / "package.whl", "small.gguf"), tmp_path / "model")
