"""What libraries raise while a model is read is one sentence that says what to do."""

import pytest

from src.models import foreign
from src.models.foreign import CannotRun, ModelNotFound, check_hub, explained, near
from src.models.load import existing


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (OSError("We couldn't connect to 'https://hub' to load the files"), ModelNotFound, "the hub cannot be reached"),
        (
            OSError("q is not a local folder and is not a valid model identifier"),
            ModelNotFound,
            "the hub has no such model",
        ),
        (OSError("You are trying to access a gated repo.\nMake sure"), ModelNotFound, "hf auth login"),
        (ValueError("pass the argument `trust_remote_code=True`"), ModelNotFound, "model.trust_remote_code=true"),
        (ValueError('please use attn_implementation="eager"'), ModelNotFound, "another model.attention, such as eager"),
        (OSError("Error no file named model.safetensors found"), ModelNotFound, "weights must be safetensors files"),
        (
            ImportError("pip install optimum\nnow"),
            CannotRun,
            "a package that is not installed: ImportError: pip install optimum",
        ),
        (RuntimeError("\nodd\nmore"), ModelNotFound, "this model cannot be read: RuntimeError: odd"),
    ],
)
def test_a_foreign_error_is_one_sentence(error, kind, text):
    with pytest.raises(kind) as caught, explained("m/x"):
        raise error
    assert str(caught.value).startswith("m/x: ") and text in str(caught.value) and "\n" not in str(caught.value)


def test_our_own_errors_pass():
    with pytest.raises(ModelNotFound, match="^mine$"), explained("m/x"):
        raise ModelNotFound("mine")


def test_a_mistyped_folder_is_told_what_is_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "granite-small").mkdir(parents=True)
    assert near(tmp_path / "models" / "granit-small") == " Did you mean 'granite-small'?"
    assert "with granite-small" in near(tmp_path / "models" / "zzz") and near(tmp_path / "no" / "such") == ""
    for name in ("models/granit-small", "./models/granit-small", str(tmp_path / "models/granit-small")):
        with pytest.raises(ModelNotFound, match="no such model folder. Did you mean 'granite-small'"):
            existing(name)


def test_a_hub_that_is_not_reached_is_said_at_once(monkeypatch):
    def refuse(*_, **__):
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(foreign.socket, "create_connection", refuse)
    monkeypatch.setattr(foreign, "getproxies", dict)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(ModelNotFound, match=r"org/none: it is no folder here and not in the cache .*Name or service"):
        check_hub("org/none")
