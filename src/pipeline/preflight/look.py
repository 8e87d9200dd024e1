"""What a stage looks at before the first one starts: data, gold answers, prompts, engine, export. Whatever is wrong is
collected, so that all of it is said at once."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.common.errors import UserError
from src.config.schema import Config
from src.data.records import Question
from src.models.folder import check_folder, refuse_quantised
from src.pipeline.preflight import prompts as of_prompts
from src.pipeline.preflight import settings as of_settings
from src.pipeline.preflight.export import try_export

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from src.data.chat import Chat


class Unknown(Exception):
    """What is asked about depends on something that is wrong already, and said."""


@dataclass
class Look:
    """One run, before it starts. `model` is what it starts from (empty: a stage makes it from nothing), `later` are files
    and folders that other runs make before it, `here` whether it will run on this machine."""

    config: Config
    model: str
    directory: Path
    later: frozenset[str] = frozenset()
    here: bool = True
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    known: dict[str, Any] = field(
        default_factory=dict, repr=False
    )  # of this model; looks at the same model may share it

    def say(self, problem: str) -> None:
        """Note what is wrong, once."""
        if problem not in self.problems:
            self.problems.append(problem)

    @contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Whatever is raised inside is a problem of `what`."""
        try:
            yield
        except Unknown:
            pass
        except UserError as error:
            self.say(str(error))
        except Exception as error:  # of a library, or of a module that somebody adds
            self.say(f"{what}: {_first_line(error)}")

    def exists(self, path: str | None) -> bool:
        """Whether a file of data can be read already: not where an earlier run makes it."""
        return path is None or path not in self.later

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Of the model that the run starts from. Raises `Unknown` where there is none yet, or none that can be used."""
        from src.models.load import load_tokenizer

        model = self.model if self.settings is not None else ""
        tokenizer: PreTrainedTokenizerBase = self._once(
            "its tokenizer", lambda: load_tokenizer(model, self.config.model)
        )
        return tokenizer

    @property
    def chat(self) -> Chat:
        """As the stages have it. Raises `Unknown` where there is none."""
        from src.data.chat import Chat

        tokenizer = self.tokenizer
        spec, instruction = self.config.model, self.config.data.instruction
        chat: Chat = self._once("its chat template", lambda: Chat.of(tokenizer, instruction, spec))
        return chat

    @property
    def settings(self) -> Any:
        """The `config.json` of the model that the run starts from. Raises `Unknown` where there is none."""
        if not self.model:
            raise Unknown
        return self._once("its config.json", self._read_settings)

    def _once(self, what: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, asked once. Raises `Unknown` where it fails, which is said."""
        if what not in self.known:
            self.known[what] = None
            with self.attempt(f"model.path={self.model}, {what}"):
                self.known[what] = make()
        if self.known[what] is None:
            raise Unknown
        return self.known[what]

    def check_model(self) -> None:
        """The model can be used by this product, its tokenizer fits it, and its chat template works."""
        with self.attempt("model.path"):
            for problem in of_settings.misfits(self.tokenizer, self.settings, self.model):
                self.say(problem)
        if self.config.model.attention == "flash_attention_2" and self.here:
            from src.models.load import check_flash

            with self.attempt("model.attention"):
                check_flash()
        with self.attempt("the chat template"):
            assert self.chat is not None  # to say what is wrong with it

    def _read_settings(self) -> Any:
        """Raises for a model whose files say that it cannot be trained and saved."""
        check_folder(self.model, self.config.model)
        settings = of_settings.read(self.model, self.config.model)
        refuse_quantised(self.model, getattr(settings, "quantization_config", None))
        return settings

    def check_prompts(self, questions: Sequence[Question], budget: int, limit: int | None = None) -> None:
        """Prompts, as the strategy asks, hold their questions, survive the tokenizer, and leave room for `budget` tokens; those of more than
        `limit` tokens are left out. Of examples, what is learned too."""
        rollout = self.config.rollout
        served = rollout.vllm.maximum_prompt_tokens if rollout.engine == "vllm" and budget else None
        with self.attempt("the prompts"):
            for problem in of_prompts.problems(
                self.chat, self.settings, questions, budget, limit, served, self.config.strategy
            ):
                self.say(problem)
            self.notes += of_prompts.notes(self.chat, questions)

    def check_golds(self, questions: Sequence[Question]) -> None:
        """Every gold answer is right against itself."""
        from src.grading.grader import Grader

        with self.attempt("gold answers"), Grader(self.config.grader, self.config.model.thinks) as grader:
            grader.check_gold_answers(
                [(f"problem {row.problem} ({row.language})", row.gold, row.language, row.kind) for row in questions]
            )

    def check_engine(self) -> None:
        """What samples is installed here and knows the model."""
        rollout = self.config.rollout
        with self.attempt(f"rollout.engine={rollout.engine}"):
            if rollout.engine == "vllm" and rollout.vllm.url is None and self.here:
                if importlib.util.find_spec("vllm") is None:
                    self.say(
                        "rollout.engine=vllm needs the package vllm, which is not installed here. Install it with make "
                        "setup-gpu, or use rollout=native or rollout=hf"
                    )
            elif rollout.engine == "native":
                from src.rollout.engines.native import NativeEngine

                NativeEngine(self.settings, 0, 0, 1)
            elif rollout.engine == "scripted":
                from src.rollout.engines.scripted import read_script

                read_script(Path(str(rollout.script)), lambda text: [])

    def check_services(self, questions: Sequence[Question]) -> None:
        """What gives the reward its evidence can be asked, and has a reference of the questions."""
        from src.pipeline.preflight.services import missing_keys, missing_references
        from src.rewards.evidence import served_needs

        config = self.config
        needs = served_needs(config.reward)
        with self.attempt("services"):
            for problem in missing_keys(config.services, needs):
                self.say(problem)
        with self.attempt("services.references"):
            if needs and self.exists(config.services.references):
                problem, note = missing_references(config, needs, questions)
                self.problems += [problem] if problem else []
                self.notes += [note] if note else []

    def check_export(self) -> None:
        """What is trained can be saved: the untrained model, with adapters if there will be some, saved and read again."""
        what = "saved and read again before anything is trained"
        with self.attempt(f"model.path={self.model}, {what}"):
            arguments = (self.model, self.settings, self.config.model, self.tokenizer, self.directory)
            if note := self._once(what, lambda: try_export(*arguments) or ""):
                self.notes.append(note)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
