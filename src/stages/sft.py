"""Supervised fine-tuning on worked examples that reason in the language of the question."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

from src.common import console
from src.common.files import replace_durably
from src.common.seeds import derive_seed
from src.config.schema import Config
from src.data import sources
from src.data.chat import Chat
from src.data.example_faults import check_share, summary
from src.data.mixes.plain import Plain
from src.data.readers import BadData
from src.data.records import Example
from src.models.ends import note_ends
from src.models.load import load_policy, load_tokenizer, pad_token
from src.models.save import save_model
from src.pipeline.preflight.look import Look
from src.pipeline.preflight.prompts import chosen
from src.pipeline.stage import Declaration, Stage
from src.rollout.examples import judge_examples
from src.rollout.judge import Judge
from src.store.directory import CHECKED, FAULTY
from src.store.seen import note_seen
from src.training.supervised import Recipe, Row, train

INPUTS = ("seed", "data.sft", "data.validation", "data.validation_share", "data.instruction", "world", "sft", "model")


def declare(config: Config) -> Declaration:
    """What the pipeline must know of this stage; what it learned from without a mix is as it was before there were any."""
    mixes = () if config.mix == Plain() else ("mix", *(("data.samples",) if config.mix.samples else ()))
    return Declaration(INPUTS + mixes, prompts=True, makes_model=True)


def preflight(look: Look) -> None:
    """Examples can be read and fit the model, and what is trained on them can be saved."""
    config = look.config
    look.check_model()
    examples: list[Example] = []
    with look.attempt("data.sft"):
        if look.exists(config.data.sft) and look.exists(config.data.samples):
            examples = sources.sft_examples(config.data, config.world, config.seed, config.mix)
    with look.attempt("data.validation"):
        if look.exists(config.data.validation) and look.exists(config.data.sft):
            sources.validation_examples(config.data, config.world, config.seed, config.mix)
    look.check_prompts(examples, 0, config.sft.cutoff)
    with look.attempt("sft.cutoff"):
        for example in chosen(examples):
            row(look.chat, example, config.sft.cutoff)
    look.check_export()


def run(stage: Stage) -> None:
    """Train on `data.sft` (or the world's examples) from the given model; leaves `model/`."""
    config = stage.config
    # 0. Examples of the user's own teach what they should, or the run stops before it has learned from them.
    check_examples(stage)
    # 1. The model, with adapters if asked for.
    tokenizer = load_tokenizer(stage.planned.model, config.model)
    model = load_policy(stage.planned.model, config.model, stage.ranks.device, derive_seed("adapters", config.seed))
    # 2. Examples: what is learned is the completion, never the prompt.
    examples = sources.sft_examples(config.data, config.world, config.seed, config.mix)
    validation = sources.validation_examples(config.data, config.world, config.seed, config.mix)
    chat = Chat.of(tokenizer, config.data.instruction, config.model)
    rows, held_out = ([row(chat, e, config.sft.cutoff) for e in part] for part in (examples, validation))
    # 3. Train for whole epochs.
    steps = math.ceil(config.sft.epochs * len(examples) / config.sft.sequences_per_step)
    recipe = Recipe(
        steps=min(steps, config.sft.maximum_steps or steps),
        sequences_per_step=config.sft.sequences_per_step,
        tokens_per_microbatch=config.sft.tokens_per_microbatch,
        optimiser=config.sft.optimiser,
        validate_every_steps=config.sft.validate_every_steps,
    )
    train(stage, model, rows, held_out, recipe, pad_token(tokenizer))
    # 4. Keep the result.
    note_ends(model, tokenizer)
    save_model(model, tokenizer, stage.planned.result, write=stage.ranks.main)
    if stage.ranks.main:
        seen = [code for example in examples for code in {example.language, *example.trace_languages}]
        note_seen(stage.planned.result, stage.planned.name, stage.planned.model, seen)


def check_examples(stage: Stage) -> None:
    """Leave `examples.txt`, the counts of what is wrong with the examples that a mix makes of `data.sft`, `data.validation` and
    `data.samples`, and `faulty.jsonl`, a line for each that is.

    Raises:
        BadData: more than `data.maximum_faulty` of them are faulty.
    """
    config = stage.config
    ranks = stage.ranks
    path = config.data.samples if config.data.sft is None else config.data.sft
    if path is None:
        return
    examples = sources.sft_examples(config.data, config.world, config.seed, config.mix)
    examples += sources.validation_examples(config.data, config.world, config.seed, config.mix)
    with Judge(config.detector, config.grader, config.model.thinks) as judge:
        findings = ranks.gather(judge_examples(judge, ranks.shard(examples)))
    if ranks.main:
        text = "\n".join([summary(findings), *_left_out(config)])
        console.note(f"{path}\n{text}")
        lines = [json.dumps(asdict(item), ensure_ascii=False) + "\n" for item in findings if item.reason]
        replace_durably(stage.directory / FAULTY, "".join(lines).encode(errors="replace"))
        replace_durably(stage.directory / CHECKED, f"{text}\n".encode())
    check_share(findings, config.data.maximum_faulty, path)


def _left_out(config: Config) -> list[str]:
    """A line on the problems of `data.sft` that a mix makes nothing of, if there are some."""
    few, total = sources.problems_left_out(config.data, config.world, config.seed, config.mix)
    return (
        [f"mix: {few:,} of {total:,} problems are in no example, for a translation is missing or does not fit"]
        if few
        else []
    )


def row(chat: Chat, example: Example, cutoff: int | None) -> Row:
    """Prompt and target, together at most `cutoff` tokens (None: any number): what is beyond is not learned, nor then an
    end token. Raises `BadData` when nothing of the completion is left."""
    prompt = chat.prompt(example)
    completion = chat.completion(example.completion)
    if cutoff is not None:
        completion = completion[: max(0, cutoff - len(prompt))]
    if not completion:
        raise BadData(
            f"sft.cutoff must leave some of every completion; the prompt of problem {example.problem} "
            f"({example.language}) alone has {len(prompt)} tokens, and the cutoff is {cutoff}"
        )
    return Row(prompt, completion)
