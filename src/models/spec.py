"""Which model a run starts from and how it is adapted (`conf/model/*.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

WORLD_BASE = "world"
DTYPES = ("float32", "bfloat16")
ATTENTION = ("sdpa", "eager", "flash_attention_2")
THINK = ("auto", "template", "model", "none")


@dataclass(frozen=True)
class LoraSpec:
    """Low-rank adapters on every linear layer; `rank` 0 trains all weights instead."""

    rank: int = 0
    alpha: float = 64.0
    dropout: float = 0.0


@dataclass(frozen=True)
class ModelSpec:
    """`path` is a folder or hub name of a transformers causal language model with a chat template.

    The word `world` stands for the base model of the embedded world: the one shipped for the world's size, or
    the one the `pretrain` stage of this run makes. `thinks` says that its completions mark their thinking with
    `</think>`; of a model that does not, all of a completion is trace and answer at once.

    `think` says who opens the thinking: the chat `template` at the end of the prompt, the `model` itself, or nobody
    (`none`, which goes with `thinks` false); `auto` finds it in the template (`src.data.chat`).

    `chat_template` is a file with the template (Jinja), for a model without one or instead of its own. `date` (YYYY-MM-DD)
    is what templates write that put today's date into the prompt, so that prompts do not depend on the day.

    `attention` is `sdpa` (torch's own), `eager`, or `flash_attention_2` where that package and an NVIDIA GPU are.
    `gradient_checkpointing` keeps one tensor a layer and computes the others again in the backward pass.
    """

    path: str = WORLD_BASE
    dtype: str = "float32"
    attention: str = "sdpa"
    gradient_checkpointing: bool = False
    trust_remote_code: bool = False
    thinks: bool = True
    think: str = "auto"
    chat_template: str | None = None
    date: str = "2024-07-26"
    lora: LoraSpec = field(default_factory=LoraSpec)

    def identity(self) -> dict[str, Any]:
        """What a result depends on; what prompts depend on is beside it (`src.pipeline.prompting`), by content."""
        return {"is": type(self).__name__} | {
            key: value for key, value in asdict(self).items() if key not in ("chat_template", "date")
        }

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = [
            f"model.{name} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}"
            for name, allowed in (("dtype", DTYPES), ("attention", ATTENTION), ("think", THINK))
            if getattr(self, name) not in allowed
        ]
        if self.attention == "flash_attention_2" and self.dtype != "bfloat16":
            violations.append(
                f"model.dtype must be bfloat16 with model.attention=flash_attention_2; got {self.dtype!r}"
            )
        if self.think == "none" and self.thinks:
            violations.append(
                "model.thinks must be false where model.think is none: completions that nobody opens a trace in are "
                "trace and answer at once; got true"
            )
        if self.chat_template is not None and not Path(self.chat_template).is_file():
            violations.append(
                f"model.chat_template must be a file with a chat template; {self.chat_template} is none. Give its path, or "
                "null for the model's own"
            )
        if not _is_date(self.date):
            violations.append(f"model.date must be a day as YYYY-MM-DD, which templates write; got {self.date!r}")
        if self.lora.rank < 0:
            violations.append(f"model.lora.rank must be 0 (train all weights) or more; got {self.lora.rank}")
        if self.lora.rank and self.lora.alpha <= 0:
            violations.append(f"model.lora.alpha must be above 0; got {self.lora.alpha}")
        if self.lora.dropout:
            violations.append(
                f"model.lora.dropout must be 0, got {self.lora.dropout}: the sampler has no dropout, so the ratio "
                "of new to old probabilities would not start at 1"
            )
        return violations


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
