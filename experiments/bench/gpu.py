"""What only a GPU shows: memory and time of the published settings beside what is counted, and beside the peers.

`make bench-gpu` needs one GPU of 80 GB and no network: models have the published sizes and random weights. Every row is a
fresh process.

- `ceilings`: what a copy and a matrix product reach on this device.
- `update`: one mini-batch of 18 completions (150 + 1,500 tokens) through LoRA of rank 32 on all linear layers, bfloat16,
  gradient checkpointing, KL to the reference policy, micro-batches of 16,384 tokens; peak memory beside `src.models.memory`,
  operations beside `src.models.cost`.
- `rollout`: our decoder and transformers' `generate` on the same prompts, 150 tokens each.
- `step`: a GRPO step of `src.run` and of TRL's GRPOTrainer, 16 prompts x 8 completions x 256 tokens.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch
from bench import clock_of, steps_of

PROMPT = 150
RESPONSE = 1500
MICROBATCH = 16384
REPEATS = 3
LORA = (32, 64)  # rank, alpha
PUBLISHED = {
    "1.5B": "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
    "4B": "Qwen/Qwen3-4B",
    "7B": "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
}
# rows at once as in conf/scale/; new tokens of ours and of `generate`, which takes long
ROLLOUTS = {"1.5B": (256, 512, 128), "7B": (96, 256, 64)}
SMALL = {  # for a trial on a CPU
    "model_type": "qwen2",
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 2048,
    "tie_word_embeddings": False,
}
PROMPTS, COMPLETIONS, NEW_TOKENS = 16, 8, 256  # of a GRPO step


def sizes(name: str) -> dict[str, Any]:
    from src.models.memory import KNOWN

    return SMALL if name == "small" else KNOWN[PUBLISHED[name]]


def device() -> str:
    return "cuda:0" if torch.cuda.is_available() else "cpu"


def wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def build_model(name: str, **more: Any) -> Any:
    """Random weights in bfloat16, made on the device."""
    from transformers import AutoConfig, AutoModelForCausalLM

    wanted = dict(sizes(name)) | more
    config = AutoConfig.for_model(wanted.pop("model_type"), **wanted, max_position_embeddings=8192)
    torch.manual_seed(0)
    with torch.device(device()):
        constructor: Any = AutoModelForCausalLM
        return constructor.from_config(config, dtype=torch.bfloat16).eval()


def timed(work: Any, repeats: int = REPEATS) -> float:
    """Median seconds after a warm-up."""
    times = []
    for _ in range(repeats + 1):
        wait()
        began = time.perf_counter()
        work()
        wait()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def ceilings() -> dict[str, Any]:
    """Terabytes a second of a copy (read and written) and TFLOP/s of a bfloat16 product, on random numbers."""
    side = 8192 if torch.cuda.is_available() else 512
    a = torch.randn(side, side, device=device(), dtype=torch.bfloat16)
    b = torch.randn(side, side, device=device(), dtype=torch.bfloat16)
    source = torch.randn(side * side * 16, device=device(), dtype=torch.float32)
    target = torch.empty_like(source)
    product = timed(lambda: [a @ b for _ in range(10)], 5) / 10
    copied = timed(lambda: [target.copy_(source) for _ in range(5)], 5) / 5
    named = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return {
        "device": named,
        "torch": torch.__version__,
        "TFLOP/s": 2 * side**3 / product / 1e12,
        "TB/s": 2 * source.nbytes / copied / 1e12,
    }


def update(name: str) -> dict[str, Any]:
    """A mini-batch of the published update, with its peak memory."""
    from src.algorithm.spec import LossSpec
    from src.distributed.ranks import Ranks
    from src.distributed.spec import OptimiserSpec
    from src.models.cost import forward, passes
    from src.models.head import head_of
    from src.models.load import add_lora, checkpointed
    from src.models.memory import Shape, Work, items, total
    from src.models.spec import LoraSpec
    from src.rollout.engines.base import Rollout
    from src.training.learner import Learner
    from src.training.update import Updater

    prompt, response, budget = (8, 24, 128) if name == "small" else (PROMPT, RESPONSE, MICROBATCH)
    rows = 2 * (budget // (prompt + response))
    plain = build_model(name)
    head_of(plain)
    policy = checkpointed(add_lora(plain, LoraSpec(rank=LORA[0], alpha=LORA[1])))
    loss = LossSpec(aggregation="sequence_sum", maximum_tokens=4096, kl_coefficient=0.001, kl_estimator="k3")
    learner = Learner(policy, OptimiserSpec(learning_rate=1e-5), Ranks(device=device()))
    updater = Updater(learner, loss, 0.8, budget, 0)
    generator = torch.Generator().manual_seed(1)
    vocabulary = plain.config.vocab_size
    drawn = [torch.randint(1, vocabulary, (prompt + response,), generator=generator).tolist() for _ in range(rows)]
    trajectories = [
        cast(
            Any,
            SimpleNamespace(prompt=row[:prompt], rollout=Rollout(row[prompt:], torch.full((response,), -12.0), False)),
        )
        for row in drawn
    ]
    advantage = torch.tensor([1.0, -1.0] * (rows // 2))

    def work() -> None:
        batches = updater.microbatches(trajectories, range(rows), advantage)
        updater.accumulate(batches, advantage, updater.old_logprobs(batches), rows * response, rows)
        learner.update(1e-6, 0.0, "bench")

    seconds = timed(work)
    shape = Shape.of(sizes(name))
    counted = Work(
        width=2, rank=LORA[0], checkpointing=True, tokens=budget, targets=budget * response // (prompt + response)
    )
    operations = forward(shape, prompt + response) * (passes(LORA[0], True) + 1) * rows * (prompt + response)
    return {
        "seconds": seconds,
        "tokens": rows * (prompt + response),
        "TFLOP/s": operations / seconds / 1e12,
        "GB": torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0,
        "GB counted": total(items(shape, replace(counted, rows=0))) / 1e9,
    }


def prompts_of(name: str, count: int, length: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(1, sizes(name)["vocab_size"], (count, length), generator=generator).tolist()


def rollout(name: str, peer: bool) -> dict[str, Any]:
    """Tokens of every row up to the budget: none ends before."""
    from src.models.load import policy_weights
    from src.models.memory import Shape, Work, items, total
    from src.rollout.engines.base import Sampling
    from src.rollout.engines.native import NativeEngine

    rows, ours, theirs = (16, 8, 8) if name == "small" else ROLLOUTS[name]
    length = 8 if name == "small" else PROMPT
    budget = theirs if peer else ours
    model = build_model(name)
    prompts = prompts_of(name, rows // COMPLETIONS, length)
    if peer:
        batch = torch.tensor(prompts, device=device())

        def work() -> None:
            model.generate(
                input_ids=batch,
                attention_mask=torch.ones_like(batch),
                do_sample=True,
                temperature=0.8,
                top_k=0,
                num_return_sequences=COMPLETIONS,
                max_new_tokens=budget,
                min_new_tokens=budget,
                pad_token_id=0,
                eos_token_id=1,
            )
    else:
        engine = NativeEngine(model.config, -1, 0, rows, device())
        engine.load(policy_weights(model))

        def work() -> None:
            engine.generate(prompts, list(range(len(prompts))), COMPLETIONS, Sampling(budget, temperature=0.8))

    seconds = timed(work, 1 if peer else 2)
    shape = Shape.of(sizes(name))
    counted = Work(width=2, rows=rows, prompt=length, response=budget)
    read = budget * 2 * (shape.parameters + rows * 2 * shape.layers * shape.key * (length + budget / 2))
    return {
        "seconds": seconds,
        "tokens": rows * budget,
        "tokens/s": rows * budget / seconds,
        "TB/s": read / seconds / 1e12,
        "GB": torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0,
        "GB counted": total(items(shape, counted)) / 1e9,
    }


def folder_of(name: str) -> Path:
    """A model folder of random weights with the world's tokenizer, and questions of the world beside it."""
    from src.data.sources import grpo_questions
    from src.data.spec import DataSpec
    from src.data.world.spec import WorldSpec
    from src.models.load import load_tokenizer
    from src.models.spec import ModelSpec
    from src.pipeline.plan import shipped_base

    folder = Path("runs/bench/gpu") / f"model-{name}"
    if not (folder / "prompts.jsonl").is_file():
        tokenizer: Any = load_tokenizer(shipped_base("small"), ModelSpec())
        end = tokenizer.eos_token_id
        build_model(name, eos_token_id=end, pad_token_id=end, bos_token_id=None).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        lines = [
            {"problem": q.problem, "language": q.language, "question": q.question, "gold": q.gold}
            for q in grpo_questions(DataSpec(), WorldSpec(), 64, 0)
        ]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / "prompts.jsonl").write_text(text, encoding="utf-8")
    return folder


def step_ours(name: str) -> dict[str, Any]:
    """Steps of `src.run`, read back from its log: rollout, judging and update."""
    folder = folder_of(name)
    overrides = [
        "+experiment=grpo",
        "scale=distill_1_5b",
        f"model.path={folder}",
        f"data.prompts={folder}/prompts.jsonl",
        "data.instruction=none",
        "stages=[grpo]",
        "model.thinks=false",
        f"grpo.steps={REPEATS + 1}",
        f"grpo.prompts_per_step={PROMPTS}",
        f"grpo.completions_per_prompt={COMPLETIONS}",
        "grpo.updates_per_step=1",
        f"rollout.maximum_new_tokens={32 if name == 'small' else NEW_TOKENS}",
        "rollout.temperature=1.0",
    ]
    lines = steps_of(folder.parent / f"ours-{name}", *overrides)[1:]
    parts = {key: statistics.median(line[f"seconds_{key}"] for line in lines) for key in ("rollout", "judge", "update")}
    return {"seconds": sum(parts.values()), "tokens": lines[-1]["tokens"] * PROMPTS * COMPLETIONS, **parts}


def step_trl(name: str) -> dict[str, Any]:
    """TRL's GRPOTrainer: same model, adapters, prompts, sizes and loss; its reward is a constant, so grading costs nothing."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import GRPOConfig, GRPOTrainer

    folder = folder_of(name)
    questions = [json.loads(line) for line in (folder / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]
    times: list[float] = []
    lengths: list[int] = []

    def reward(completion_ids: Any, **_: Any) -> list[float]:
        lengths.append(sum(map(len, completion_ids)))
        return [0.0] * len(completion_ids)

    config = GRPOConfig(
        output_dir=str(folder.parent / f"trl-{name}"),
        max_steps=REPEATS + 1,
        per_device_train_batch_size=32,
        gradient_accumulation_steps=PROMPTS * COMPLETIONS // 32,
        num_generations=COMPLETIONS,
        max_completion_length=32 if name == "small" else NEW_TOKENS,
        learning_rate=1e-5,
        beta=0.001,
        temperature=1.0,
        loss_type="dapo",
        lr_scheduler_type="constant",
        save_strategy="no",
        report_to=[],
        use_cpu=not torch.cuda.is_available(),
        bf16=True,
        gradient_checkpointing=True,
        disable_tqdm=True,
        model_init_kwargs={"dtype": torch.bfloat16},
    )
    trainer = GRPOTrainer(
        model=str(folder),
        reward_funcs=reward,
        args=config,
        train_dataset=Dataset.from_dict({"prompt": [[{"role": "user", "content": q["question"]}] for q in questions]}),
        peft_config=LoraConfig(r=LORA[0], lora_alpha=LORA[1], target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[clock_of(times)],
    )
    trainer.train()
    seconds = [after - before for before, after in itertools.pairwise(times)]
    return {"seconds": statistics.median(seconds[1:]), "tokens": statistics.mean(lengths[1:])}


class Watch:
    """The most bytes of the first GPU that are taken while it is open, above those before; looked at five times a second."""

    peak = 0.0

    def __enter__(self) -> None:
        self.before = self._taken()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        self.thread.join()

    def _look(self) -> None:
        while not self.over.wait(0.2):
            self.peak = max(self.peak, self._taken() - self.before)

    @staticmethod
    def _taken() -> float:
        if not torch.cuda.is_available():
            return 0.0
        free, every = torch.cuda.mem_get_info()  # of the device, whoever holds it
        return float(every - free)


ROWS: dict[str, Any] = {
    "ceilings": lambda _: ceilings(),
    "update": update,
    "rollout": lambda name: rollout(name, peer=False),
    "generate": lambda name: rollout(name, peer=True),
    "step": step_ours,
    "trl": step_trl,
}
ALL = (
    "ceilings:1.5B update:1.5B update:4B update:7B rollout:1.5B generate:1.5B rollout:7B generate:7B step:1.5B trl:1.5B"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", default=ALL.split(), help="what:size, such as update:7B")
    parser.add_argument("--one", action="store_true", help="in this process")
    parser.add_argument("--output", type=Path, default=Path("runs/bench/gpu/gpu.jsonl"))
    options = parser.parse_args()
    if options.one:
        what, name = options.rows[0].split(":")
        print(json.dumps(ROWS[what](name)))
        return
    options.output.parent.mkdir(parents=True, exist_ok=True)
    for row in options.rows:
        environment = dict(os.environ) | {
            "PYTHONPATH": os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
        }
        watch = Watch()
        with watch:
            done = subprocess.run(
                [sys.executable, __file__, "--one", row], env=environment, stdout=subprocess.PIPE, text=True
            )
        numbers = (
            json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else {"failed": done.returncode}
        )
        result = {"row": row} | numbers | {"GB taken": watch.peak / 1e9}
        line = json.dumps(result)
        print(line, flush=True)
        with options.output.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


if __name__ == "__main__":
    main()
