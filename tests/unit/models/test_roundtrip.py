"""Text survives the tokenizer, or is said to be lost."""

import json

import pytest

from src.models.load import load_tokenizer
from src.models.roundtrip import SAMPLES, lost, surviving
from src.models.spec import ModelSpec
from tests.helpers import tiny


def folder_of(tmp_path, kind):
    """A model folder whose byte-level tokenizer says it is of the class `kind`."""
    tiny.tokenizer(tiny.DEEPSEEK).save_pretrained(tmp_path)
    settings = {"tokenizer_class": kind, "legacy": True, "bos_token": "<|begin|>", "eos_token": "<|end|>"}
    settings["chat_template"] = tiny.DEEPSEEK
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    return tmp_path


@pytest.mark.parametrize("kind", ["LlamaTokenizerFast", "LlamaTokenizer", "PreTrainedTokenizerFast"])
def test_a_byte_level_file_is_read_as_it_stands_whatever_class_it_names(tmp_path, kind):
    tokenizer = load_tokenizer(folder_of(tmp_path, kind), ModelSpec())
    assert surviving(tokenizer) == len(SAMPLES)
    text = "<|User|>Inés a 3 pommes.\n次に ต่อไป<|Assistant|>"
    assert lost(tokenizer, text) is None
    assert (tokenizer.eos_token, tokenizer.chat_template) == ("<|end|>", tiny.DEEPSEEK)


def test_what_is_lost_is_shown(tmp_path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder_of(tmp_path, "LlamaTokenizerFast"))
    assert "Inés a 3" in str(lost(tokenizer, "<|User|>Inés a 3 pommes.<|Assistant|>"))
    assert surviving(tokenizer) < len(SAMPLES)


def test_blanks_beside_special_tokens_and_compatible_forms_are_not_lost():
    from tokenizers import normalizers

    tokenizer = tiny.tokenizer(tiny.DEEPSEEK)
    tokenizer.backend_tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip()])
    assert lost(tokenizer, "<|User|> １２ apples <|Assistant|>") is None
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    assert lost(tokenizer, "<|User|>Two Apples") == "'Two Apples' comes back as 'two apples'"


def test_a_chat_template_can_be_given_as_a_file(tmp_path):
    folder = folder_of(tmp_path / "model", "PreTrainedTokenizerFast")
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|end|>"}))
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    with pytest.raises(Exception, match="no chat template, so .* Give one with model.chat_template=<file>"):
        load_tokenizer(folder, ModelSpec())
    file = tmp_path / "own.jinja"
    file.write_text(tiny.QWEN2)
    assert load_tokenizer(folder, ModelSpec(chat_template=str(file))).chat_template == tiny.QWEN2
    missing = ModelSpec(chat_template=str(tmp_path / "none.jinja"), date="1 May 2024")
    assert [text.split(" must")[0] for text in missing.violations()] == ["model.chat_template", "model.date"]
