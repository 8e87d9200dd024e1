"""Our rollout and our GRPO step beside what a user would pick: transformers' generate and TRL's GRPOTrainer.

`make bench` runs everything in one process after another on the same machine, model, prompts and sizes, and
writes `runs/bench/bench.md`. Each row is a median over repeats after a warm-up.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROMPTS = 16
COMPLETIONS = 8
NEW_TOKENS = 96
REPEATS = 5


def model_and_tokenizer() -> tuple[Any, Any]:
    """The base model that comes with the repository; nothing ends before the budget, so work is equal."""
    from src.models.load import load_model, load_tokenizer
    from src.models.spec import ModelSpec
    from src.pipeline.plan import shipped_base

    folder = shipped_base("small")
    return load_model(folder, ModelSpec()), load_tokenizer(folder, ModelSpec())


def questions() -> list[Any]:
    from src.data.sources import grpo_questions
    from src.data.spec import DataSpec
    from src.data.world.spec import WorldSpec

    return grpo_questions(DataSpec(), WorldSpec(), 64, 0)


def rollout_native(rank: int, size: int) -> dict[str, float]:
    from src.data.chat import Chat
    from src.models.load import policy_weights
    from src.models.spec import ModelSpec
    from src.rollout.engines.base import Sampling
    from src.rollout.engines.native import NativeEngine

    model, tokenizer = model_and_tokenizer()
    chat = Chat.of(tokenizer, "none", ModelSpec())
    prompts = [chat.prompt(q) for q in questions()[:PROMPTS]][rank::size]
    engine = NativeEngine(model.config, -1, tokenizer.pad_token_id, PROMPTS * COMPLETIONS)
    times = []
    for _repeat in range(REPEATS + 1):
        began = time.perf_counter()
        engine.load(policy_weights(model))
        groups = engine.generate(prompts, list(range(len(prompts))), COMPLETIONS, Sampling(NEW_TOKENS))
        times.append(time.perf_counter() - began)
    tokens = sum(len(rollout.tokens) for group in groups for rollout in group)
    assert tokens == len(prompts) * COMPLETIONS * NEW_TOKENS
    return {"seconds": statistics.median(times[1:]), "tokens": tokens}


def rollout_generate(rank: int, size: int) -> dict[str, float]:
    """What a user calls: `generate` with sampling and `num_return_sequences` on left-padded prompts."""
    from src.data.chat import Chat
    from src.models.spec import ModelSpec

    model, tokenizer = model_and_tokenizer()
    chat = Chat.of(tokenizer, "none", ModelSpec())
    prompts = [chat.prompt(q) for q in questions()[:PROMPTS]][rank::size]
    tokenizer.padding_side = "left"
    batch = tokenizer.pad({"input_ids": prompts}, return_tensors="pt")
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        output = model.generate(
            **batch,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            num_return_sequences=COMPLETIONS,
            max_new_tokens=NEW_TOKENS,
            min_new_tokens=NEW_TOKENS,
        )
        times.append(time.perf_counter() - began)
    tokens = output.shape[0] * NEW_TOKENS
    return {"seconds": statistics.median(times[1:]), "tokens": tokens}


def steps_of(root: Path, *overrides: str) -> list[dict[str, Any]]:
    """The metrics of the steps of a run of GRPO that is made anew in `root`, by `src.run` itself."""
    import shutil

    from src.config.directory import directory_of

    shutil.rmtree(root, ignore_errors=True)
    overrides = (*overrides, f"root={root}")
    subprocess.run([sys.executable, "-m", "src.run", *overrides], check=True, stdout=subprocess.DEVNULL)
    log = directory_of(overrides) / "grpo" / "metrics.jsonl"
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def clock_of(times: list[float]) -> Any:
    """A callback of transformers' Trainer that notes when each step begins, and when the last has ended."""
    import torch
    from transformers import TrainerCallback

    def note() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter())

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            note()

        def on_train_end(self, *_: Any, **__: Any) -> None:
            note()

    return Clock()


def step_ours(rank: int, size: int) -> dict[str, float]:
    """Steps of `src.run`, after two of warm-up."""
    overrides = [
        "+experiment=grpo",
        "scale=laptop",
        f"grpo.steps={REPEATS + 2}",
        "stages=[grpo]",
        f"grpo.prompts_per_step={PROMPTS}",
        f"grpo.completions_per_prompt={COMPLETIONS}",
        "grpo.updates_per_step=1",
        f"rollout.maximum_new_tokens={NEW_TOKENS}",
        "distributed.processes=2",
        "objective=grpo",
        "method=bench",
    ]
    lines = steps_of(Path("runs/bench/ours"), *overrides)[2:]
    seconds = [line["seconds_rollout"] + line["seconds_judge"] + line["seconds_update"] for line in lines]
    return {
        "seconds": statistics.median(seconds),
        "tokens": statistics.mean(line["tokens"] for line in lines) * PROMPTS * COMPLETIONS,
    }


def step_trl(rank: int, size: int) -> dict[str, float]:
    """TRL's GRPOTrainer on the same model, prompts, sizes and loss; reward: our grader and detector as a function."""
    import torch
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    from src.data.chat import decode
    from src.grading.grader import GraderSpec
    from src.language.detector import DetectorSpec
    from src.rollout.judge import Judge

    torch.set_num_threads(2)
    model, tokenizer = model_and_tokenizer()
    by_text = {question.question: question for question in questions()}
    texts = [
        tokenizer.apply_chat_template([{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True)
        for text in by_text
    ]
    by_prompt = dict(zip(texts, by_text.values(), strict=True))
    judge = Judge(DetectorSpec(), GraderSpec(), thinks=True)
    lengths: list[int] = []

    def reward(prompts: list[str], completions: list[str], completion_ids: Any, **_: Any) -> list[float]:
        lengths.append(sum(map(len, completion_ids)))
        verdicts = judge(
            [by_prompt[prompt] for prompt in prompts],
            [decode(tokenizer, ids) for ids in completion_ids],
            [0] * len(prompts),
            [False] * len(prompts),
        )
        return [float(verdict.correct) for verdict in verdicts]

    times: list[float] = []

    arguments = GRPOConfig(
        output_dir="runs/bench/trl",
        max_steps=REPEATS + 2,
        per_device_train_batch_size=PROMPTS * COMPLETIONS,
        num_generations=COMPLETIONS,
        max_completion_length=NEW_TOKENS,
        learning_rate=1e-4,
        beta=0.001,
        temperature=1.0,
        loss_type="dapo",
        lr_scheduler_type="constant",
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        bf16=False,
        fp16=False,
        logging_steps=1,
        gradient_checkpointing=False,
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=arguments,
        train_dataset=Dataset.from_dict({"prompt": texts}),
        processing_class=tokenizer,
        callbacks=[clock_of(times)],
    )
    trainer.train()
    seconds = [after - before for before, after in itertools.pairwise(times)]
    return {"seconds": statistics.median(seconds), "tokens": statistics.mean(lengths[1:])}


ROWS = {
    # name: (function, processes, threads)
    "rollout: transformers generate, 1 process x 2 threads": (rollout_generate, 1, 2),
    "rollout: ours, 1 process x 2 threads": (rollout_native, 1, 2),
    "rollout: transformers generate, 2 processes x 1 thread": (rollout_generate, 2, 1),
    "rollout: ours, 2 processes x 1 thread": (rollout_native, 2, 1),
    "GRPO step: TRL GRPOTrainer, 1 process x 2 threads": (step_trl, 1, 2),
    "GRPO step: ours, 2 ranks x 1 thread": (step_ours, 1, 1),
}


def measure(name: str) -> dict[str, float]:
    """One row in fresh processes: seconds of the slowest, tokens of all."""
    _function, processes, threads = ROWS[name]
    environment = dict(os.environ) | {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    children = [
        subprocess.Popen(
            [sys.executable, __file__, "--row", name, "--rank", str(rank), "--size", str(processes)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment | {"PYTHONPATH": os.getcwd()},
        )
        for rank in range(processes)
    ]
    results = []
    for child in children:
        output, _ = child.communicate()
        if child.returncode:
            raise SystemExit(f"the row {name!r} failed; its message stands above")
        results.append(json.loads(output.strip().splitlines()[-1]))
    seconds = max(result["seconds"] for result in results)
    tokens = sum(result["tokens"] for result in results)
    return {"seconds": seconds, "tokens": tokens, "tokens_per_second": tokens / seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", choices=list(ROWS))
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--rank", type=int, default=0)
    parser.add_argument("--size", type=int, default=1)
    options = parser.parse_args()
    if options.row:
        import torch

        torch.set_num_threads(ROWS[options.row][2])
        print(json.dumps(ROWS[options.row][0](options.rank, options.size)))
        return
    lines = ["| what | seconds | tokens | tokens / s |", "|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    for name in ROWS:
        if options.only in name:
            row = measure(name)
            lines.append(f"| {name} | {row['seconds']:.2f} | {row['tokens']:.0f} | {row['tokens_per_second']:.0f} |")
            print(lines[-1], flush=True)
    target = Path("runs/bench/bench.md")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
