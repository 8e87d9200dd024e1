"""The settings of each stage (`conf/config.yaml`, `conf/scale/*.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field

from src.distributed.spec import OptimiserSpec

STAGES = ("pretrain", "sft", "grpo", "evaluate", "report")
SPLITS = ("dev", "test", "shift")


@dataclass(frozen=True)
class PretrainSpec:
    """Pre-training of the world's base model: `steps` updates of `sequences_per_step` documents.

    `from_scratch` puts the stage before those of the experiment, so that a run has a base model of its own.
    """

    from_scratch: bool = False
    steps: int = 3000
    sequences_per_step: int = 16
    optimiser: OptimiserSpec = field(
        default_factory=lambda: OptimiserSpec(
            learning_rate=4e-3, betas=[0.9, 0.98], warmup=0.035, decay="cosine", gradient_clip=1.0
        )
    )


@dataclass(frozen=True)
class SftSpec:
    """Supervised fine-tuning on in-language worked examples; the loss is on the completion alone."""

    epochs: int = 1
    sequences_per_step: int = 16
    tokens_per_microbatch: int = 8192
    validate_every_steps: int = 10
    optimiser: OptimiserSpec = field(
        default_factory=lambda: OptimiserSpec(learning_rate=2e-4, warmup=0.1, decay="cosine")
    )


@dataclass(frozen=True)
class GrpoSpec:
    """GRPO: each step draws `prompts_per_step` x `completions_per_prompt` rollouts and makes `updates_per_step`
    optimiser updates from them. `prompts_per_language` is how many questions the world makes for each trained
    language."""

    steps: int = 60
    prompts_per_step: int = 16
    completions_per_prompt: int = 8
    updates_per_step: int = 2
    tokens_per_microbatch: int = 8192
    prompts_per_language: int = 1000
    optimiser: OptimiserSpec = field(default_factory=lambda: OptimiserSpec(learning_rate=1e-4))


@dataclass(frozen=True)
class EvaluationSpec:
    """`samples` completions of each question of each split, in each of the languages."""

    splits: list[str] = field(default_factory=lambda: ["test", "shift"])
    languages: list[str] = field(
        default_factory=lambda: ["fr", "ja", "ko", "th", "bn", "en", "es", "ru", "sw", "te", "zh", "de"]
    )
    problems: int = 50
    samples: int = 1
    seed: int = 0

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        found = []
        if self.problems < 1 or self.samples < 1:
            found.append(
                f"evaluation.problems and evaluation.samples must be at least 1; got {self.problems}, {self.samples}"
            )
        return found
