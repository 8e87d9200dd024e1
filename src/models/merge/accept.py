"""A merged model is written aside, and accepted when it loads and computes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from src.common.files import explain, flush_folder
from src.models.merge.base import BadMerge, Rule
from src.models.merge.checkpoint import ADAPTER_CONFIG, Adapter, Model
from src.models.merge.stream import SHARD_BYTES, write_merged
from src.models.save import probe

COPIED = (".json", ".jinja", ".txt", ".model", ".py")
LEFT = ("made_by.json", ADAPTER_CONFIG)


def merge_models(
    rule: Rule,
    models: Sequence[Model],
    base: Model | None,
    directory: Path,
    notes: Mapping[str, Any] | None = None,
    advance: Callable[[int, str], None] = lambda count, note: None,
    shard: int = SHARD_BYTES,
    trust_remote_code: bool = False,
) -> None:
    """Write the merged model to `directory`, all of it or nothing; settings, tokenizer and chat template are those of the
    first model (of adapters: of their base).

    Raises:
        BadMerge: it does not load, or does not compute.
        CheckpointError: the disk is full.
    """
    temporary = directory.with_name(directory.name + ".partial")
    first = models[0]
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        source = first.base.folder if isinstance(first, Adapter) else first.folder
        for file in sorted(source.iterdir()):
            if file.suffix in COPIED and file.name not in LEFT and not file.name.endswith(".index.json"):
                shutil.copyfile(file, temporary / file.name)
        write_merged(rule, models, base, temporary, advance, shard)
        if notes is not None:
            (temporary / "made_by.json").write_text(
                json.dumps(notes, indent=2, sort_keys=True) + "\n", encoding="utf-8"
            )
        check_merged(temporary, trust_remote_code)
        _flush(temporary)
        shutil.rmtree(directory, ignore_errors=True)
        os.replace(temporary, directory)
        flush_folder(directory.parent)
    except OSError as error:
        written = sum(path.stat().st_size for path in temporary.glob("*")) if temporary.is_dir() else 0
        shutil.rmtree(temporary, ignore_errors=True)
        raise explain(error, directory, written) from error


@torch.no_grad()
def check_merged(folder: Path, trust_remote_code: bool = False) -> None:
    """Raise `BadMerge` unless the model in `folder` has all of its weights, gives finite logits over the vocabulary that
    its settings name, has room there for every token, and has its head tied where they say so."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype="auto", use_safetensors=True, trust_remote_code=trust_remote_code, output_loading_info=True
    )
    model, report = loaded
    model.eval()
    broken = [f"{kind}: {', '.join(sorted(map(str, report[kind]))[:3])}" for kind in KINDS if report.get(kind)]
    if broken:
        raise BadMerge(f"{folder}: a merged model must have exactly its architecture's weights; {'; '.join(broken)}")
    logits = probe(model)
    vocabulary = model.config.vocab_size
    tokens = len(AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code))
    if not logits.isfinite().all():
        raise BadMerge(
            f"{folder}: a merged model must give finite logits; {int((~logits.isfinite()).sum())} of {logits.numel()} are not. "
            "Use smaller merge.weights or merge.scale"
        )
    if logits.shape[-1] != vocabulary or tokens > vocabulary:
        raise BadMerge(
            f"{folder}: logits and tokens must fit vocab_size={vocabulary} of config.json; got {logits.shape[-1]} logits and "
            f"{tokens} tokens. Merge models with the tokenizer that they were trained with"
        )
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    if model.config.tie_word_embeddings and head.weight.data_ptr() != embedding.weight.data_ptr():
        raise BadMerge(f"{folder}: the head must be tied to the embedding, as config.json says; it is not")


KINDS = ("missing_keys", "unexpected_keys", "mismatched_keys")


def _flush(folder: Path) -> None:
    """Put every file on disk before the folder gets its name."""
    for file in folder.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    flush_folder(folder)
