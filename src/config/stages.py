"""The settings of each stage (`conf/config.yaml`, `conf/scale/*.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from src.distributed.spec import OptimiserSpec
from src.rollout.spec import RolloutSpec

# What GRPO measures on the way, see EvaluationSpec.every.
MEASURED = ("accuracy", "fidelity", "right_and_in_language", "tokens", "hypervolume")


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
    """Supervised fine-tuning on in-language worked examples; the loss is on the completion alone. `cutoff`: so many
    tokens of prompt and completion together are seen (null: all). `maximum_steps`: so many updates at most (null: all)."""

    epochs: int = 1
    maximum_steps: int | None = None
    sequences_per_step: int = 16
    tokens_per_microbatch: int = 8192
    validate_every_steps: int = 10
    cutoff: int | None = None
    optimiser: OptimiserSpec = field(
        default_factory=lambda: OptimiserSpec(learning_rate=2e-4, warmup=0.1, decay="cosine")
    )


@dataclass(frozen=True)
class GrpoSpec:
    """GRPO: each step draws `prompts_per_step` x `completions_per_prompt` rollouts and makes `updates_per_step`
    optimiser updates from them. `prompts_per_language` is how many questions the world makes for each trained
    language. `maximum_prompt_tokens` leaves out questions with longer prompts (null: none). `prompts_by` is `prompt`, or `problem`:
    all languages of a problem come in the same step, for rewards that compare them."""

    steps: int = 60
    prompts_per_step: int = 16
    completions_per_prompt: int = 8
    updates_per_step: int = 2
    tokens_per_microbatch: int = 8192
    prompts_per_language: int = 1000
    maximum_prompt_tokens: int | None = None
    prompts_by: str = "prompt"
    optimiser: OptimiserSpec = field(default_factory=lambda: OptimiserSpec(learning_rate=1e-4))

    def identity(self) -> dict[str, Any]:
        """What a result depends on; `prompts_by`, which came later, only where it is used."""
        settings = {"is": "GrpoSpec"} | asdict(self)
        return settings if self.prompts_by != "prompt" else {k: v for k, v in settings.items() if k != "prompts_by"}

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        if self.prompts_by in ("prompt", "problem"):
            return []
        return [f"grpo.prompts_by must be prompt or problem; got {self.prompts_by!r}"]


@dataclass(frozen=True)
class EvaluationSpec:
    """`samples` completions of each question of each split, in each of the languages.

    `pass_at` lists the k of pass@k in the tables, beside `samples` itself; none may be above the number of samples.
    `temperature` (0: greedy) and `top_p` are those of `rollout` where they are null.
    `problems` is how many a language, the first ones (null: all). `questions_per_part` is how many questions are
    answered, judged and kept at a time: what a run that is killed loses at most. GRPO stops every `every` steps (0: never)
    and answers the first `every_problems` questions a language of the first split: they are logged as `<split>/<metric>`.
    """

    splits: list[str] = field(default_factory=lambda: ["test"])
    languages: list[str] = field(
        default_factory=lambda: ["fr", "ja", "ko", "th", "bn", "en", "es", "ru", "sw", "te", "zh", "de"]
    )
    problems: int | None = None
    samples: int = 1
    pass_at: list[int] = field(default_factory=list)
    seed: int = 0
    temperature: float | None = None
    top_p: float | None = None
    questions_per_part: int = 64
    every: int = 0
    every_problems: int = 8

    def sampling(self, rollout: RolloutSpec) -> RolloutSpec:
        """How the completions of an evaluation are sampled."""
        temperature = rollout.temperature if self.temperature is None else self.temperature
        return rollout.at(temperature, rollout.top_p if self.top_p is None else self.top_p)

    def greedy(self, rollout: RolloutSpec) -> bool:
        """Whether every sample of a question is the same."""
        return self.sampling(rollout).top_k == 1

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if self.temperature is not None and self.temperature < 0:
            violations.append(
                f"evaluation.temperature must be 0 (greedy) or more, or null for rollout.temperature; got {self.temperature}"
            )
        if self.top_p is not None and not 0 < self.top_p <= 1:
            violations.append(f"evaluation.top_p must be in (0, 1], or null for rollout.top_p; got {self.top_p}")
        if self.every < 0:
            violations.append(f"evaluation.every must be 0 (never) or more; got {self.every}")
        for name in ("problems", "samples", "questions_per_part", "every_problems"):
            value = getattr(self, name)
            if value is not None and value < 1:
                violations.append(f"evaluation.{name} must be at least 1; got {value}")
        for k in self.pass_at:
            if k < 1:
                violations.append(f"evaluation.pass_at must list numbers of samples, 1 or more; got {k}")
        for name in ("splits", "languages"):
            if not getattr(self, name):
                violations.append(f"evaluation.{name} must name at least one; got an empty list")
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                violations.append(f"evaluation.{name} must name each once; got {list(getattr(self, name))}")
        return violations


@dataclass(frozen=True)
class ReportSpec:
    """What is shown beside the stages. `schedule_preview` draws the schedule of the run and does nothing else."""

    schedule_preview: bool = False
