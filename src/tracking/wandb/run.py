"""One Weights & Biases run, which the stages of a run directory go on with, one process after another.

W&B is a copy: what it lacks is sent from our own files, and what fails in it is said once and ends nothing. While a run is
online it is fed step by step; without a network it is exported once, at the end of the command, into an offline run that
`wandb sync` sends. W&B's own step counts the lines it was given; the steps of a stage are a metric, `<stage>/step`, and the
axis of all that the stage logs: they stay right over stages, resumed processes and exports.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from src.store.directory import CONFIG, INPUTS
from src.tracking.glossary import GLOSSARY
from src.tracking.spec import TrackingSpec
from src.tracking.wandb.state import NOTE, state

AGENT = ("WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_RESUME")  # what `wandb agent` tells a run
Media = dict[str, Any]  # what W&B can hold: numbers, tables, pictures
# An export while it is written, and until it is moved into place.
PARTIAL = ".wandb.partial"
WHOLE = ".wandb.whole"
FINISH_SECONDS = 300.0  # for what is not yet uploaded at the end; `wandb sync --include-online` sends the rest


class WandbRun:
    """The W&B run of `home`, open for `stage` until `close`. No method raises for what W&B does."""

    def __init__(
        self,
        home: Path,
        stage: str,
        spec: TrackingSpec,
        shared: bool = False,
        last: bool = True,
        anew: bool = False,
        export: bool = False,
    ) -> None:
        """`shared`: of a stage that several runs share, which is never the run of an agent. `last`: closing ends the W&B
        run, no other stage comes. `anew`: the stage starts from nothing; where W&B has steps of it already, those of a
        folder that was emptied, another W&B run begins. `export`: without a network, open an offline run, which `close`
        leaves in `home/wandb`; else nothing is open then, and the stage only notes which W&B run it belongs to."""
        self.home = home
        self.stage = stage
        self.spec = spec
        self.shared = shared
        self.last = last
        self.export = export
        self.exporting = False  # into an offline run
        self.sent: dict[str, int] = {}
        self._defined: set[str] = set()
        self._run: Any = None
        self._contained(lambda: self._open(anew))

    @property
    def open(self) -> bool:
        """Whether W&B takes anything."""
        return self._run is not None

    def log(self, stage: str, step: int, metrics: Mapping[str, float], media: Callable[[], Media] = dict) -> None:
        """One line of history, unless W&B has that step; `media` makes what goes with it, by name."""

        def send() -> None:
            line = {named(stage, name): value for name, value in metrics.items()}
            line[f"{stage}/step"] = step
            self._define(stage, line)
            try:
                self._run.log(line | {named(stage, name): value for name, value in media().items()})
            except Exception as error:  # what goes with a line may be refused; that is no reason to go without it
                print(
                    f"W&B did not take the tables of {stage} step {step} ({type(error).__name__}: {error})", flush=True
                )
                self._run.log(line)
            self.sent[stage] = step

        if self.open and step > self.sent.get(stage, 0):
            self._contained(send)

    def once(
        self, stage: str, make: Callable[[], Media], summary: bool = False, tables: Callable[[], Media] = dict
    ) -> None:
        """What a stage came to, a line by itself, unless W&B has it; with `summary` in the run's summary too. `tables` go with
        the line, where they can be made."""
        if not self.open or self.sent.get(stage):
            return
        try:
            media = make()
            self._run.log(media | self._tables(stage, tables))
            if summary:
                self._run.summary.update(media)
            self.sent[stage] = 1
        except Exception as error:
            print(f"W&B did not take what stage {stage} came to ({type(error).__name__}: {error})", flush=True)

    def _tables(self, stage: str, tables: Callable[[], Media]) -> Media:
        try:
            return tables()
        except Exception as error:  # a damaged file is no reason to go without the numbers
            print(f"W&B gets no tables of stage {stage} ({type(error).__name__}: {error})", flush=True)
            return {}

    def close(self, failed: bool = False) -> None:
        """Leave the run to the next stage, or end it."""

        def end() -> None:
            import wandb

            self._run.finish(exit_code=int(failed))
            if self.exporting:
                self._write(self.home / PARTIAL)
                (self.home / PARTIAL).replace(self.home / WHOLE)
                publish(self.home)
            else:
                self._write(self.home)
            wandb.teardown()  # who comes next reads the environment again

        if self.open:
            self._contained(end)
        self._run = None

    def _contained(self, act: Callable[[], None]) -> None:
        """What goes wrong in `act` ends the copying, and nothing else."""
        try:
            act()
        except Exception as error:
            print(
                f"W&B stopped ({type(error).__name__}: {error}). The run goes on; what W&B lacks it gets from the "
                f"next stage or command of {self.home}",
                flush=True,
            )
            run, self._run = self._run, None
            with suppress(Exception):
                run.finish(exit_code=1)
            with suppress(Exception):
                import wandb

                wandb.teardown()

    def _open(self, anew: bool) -> None:
        """Raises whatever W&B raises; without a network or a key there is an export or nothing."""
        import wandb

        publish(self.home)
        identity, self.sent = self._identity(anew)
        with _as_shared(self.shared):
            mode, why = _mode()
            if mode == "disabled":
                return
            if mode != "offline":
                try:
                    self._run = self._init(mode, identity, self.home)
                except Exception as error:
                    with suppress(Exception):
                        wandb.teardown()
                    mode = "offline"
                    why = str(error)
            if mode == "offline" and self.export:
                self._run = self._init_export(identity)
        if why:
            print(f"W&B is offline ({why}); the run is exported at the end of the command", flush=True)
        if self._run is None:
            self._write(self.home, identity)
            return
        if self._run.id != identity:
            self.sent = {}
        for name, value in dict(self._run.summary).items():  # of a resumed run online
            if name.endswith("/step"):
                stage = name.removesuffix("/step")
                self.sent[stage] = max(self.sent.get(stage, 0), int(value))
        if not self.exporting:
            self._write(self.home)

    def _init_export(self, identity: str) -> Any:
        """An offline run in a folder of its own: a process that is killed meanwhile leaves nothing that `wandb sync`
        would take."""
        partial = self.home / PARTIAL
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        self.exporting = True
        return self._init("offline", identity, partial)

    def _init(self, mode: Any, identity: str, folder: Path) -> Any:
        import wandb

        agent = not self.shared and "WANDB_SWEEP_ID" in os.environ
        return wandb.init(
            project=None if agent else os.environ.get("WANDB_PROJECT") or self.spec.project,
            entity=None if agent else self.spec.entity,
            id=None if agent else identity,  # an agent's run has all three
            name=(None if self.shared else self.spec.name) or f"{self.home.parent.name}-{self.home.name}",
            tags=list(self.spec.tags) or None,  # None: those of the environment
            notes=self.spec.notes,
            group=self.home.parent.name,
            config=_config(self.home),
            resume="allow",
            mode=mode,
            dir=str(folder),
            settings=wandb.Settings(
                silent=True,
                console="off",  # its hooks in stdout and stderr would outlive a service that dies
                finish_timeout=FINISH_SECONDS,
                finish_timeout_raises=True,
                x_update_finish_state=self.last,  # until then the run is running, and a sweep waits for its result
            ),
        )

    def _identity(self, anew: bool) -> tuple[str, dict[str, int]]:
        """The id, and what was sent to it: that of the agent, or the one that the folder has had, or a new one."""
        content = state(self.home)
        agent = None if self.shared else os.environ.get("WANDB_RUN_ID")
        identity = agent or content.get("id")
        if identity is None:
            return uuid.uuid4().hex[:12], {}
        sent: dict[str, int] = dict(content["sent"]) if content.get("id") == identity else {}
        if anew and sent.get(self.stage) and not agent:
            return uuid.uuid4().hex[:12], {}
        return identity, sent

    def _define(self, stage: str, names: Iterable[str]) -> None:
        """Make `<stage>/step` the axis of what a stage logs."""
        for head in {name.partition("/")[0] for name in names} - self._defined:
            self._run.define_metric(f"{head}/*", step_metric=f"{stage}/step")
            self._defined.add(head)

    def _write(self, folder: Path, identity: str = "") -> None:
        """The note of the run, in `folder`."""
        from src.common.files import replace_durably

        note = {"id": identity or self._run.id, "sent": self.sent}
        replace_durably(folder / NOTE, json.dumps(note).encode())


def publish(home: Path) -> None:
    """Move a whole export into place, with its note; goes on where a process was killed that did. No other process may
    be at work on the W&B run of `home`."""
    whole = home / WHOLE
    if not whole.is_dir():
        return
    (home / "wandb").mkdir(exist_ok=True)
    for folder in (whole / "wandb").glob("offline-run-*"):
        names = (f"{folder.name}-{number}" if number else folder.name for number in itertools.count())
        folder.replace(next(target for name in names if not (target := home / "wandb" / name).exists()))
    if (whole / NOTE).is_file():
        (whole / NOTE).replace(home / NOTE)
    shutil.rmtree(whole)


def named(stage: str, metric: str) -> str:
    """`<stage>/<metric>`; what is measured on a split keeps the name that it has after the evaluation,
    `<split>/<metric>`."""
    head, _, rest = metric.partition("/")
    return metric if rest and head not in GLOSSARY else f"{stage}/{metric}"


def _mode() -> tuple[str, str]:
    """Online with a key that works, else offline: a job must neither stop at a login prompt nor end for want of a
    network. The second is what went wrong."""
    import wandb

    if mode := os.environ.get("WANDB_MODE"):
        return mode, ""
    try:
        return ("online" if wandb.login(prompt=False) else "offline"), ""
    except wandb.Error as error:
        return "offline", str(error)


@contextmanager
def _as_shared(shared: bool) -> Iterator[None]:
    """With `shared`, hide what an agent tells this process: it is meant for the run in the run directory."""
    hidden = {name: os.environ.pop(name) for name in AGENT if name in os.environ} if shared else {}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _config(home: Path) -> dict[str, Any]:
    """The run's configuration; of a stage that runs share, what its result depends on."""
    whole = home / CONFIG
    inputs = home / INPUTS
    if whole.is_file():
        import yaml

        return dict(yaml.safe_load(whole.read_text(encoding="utf-8")) or {})
    return dict(json.loads(inputs.read_text(encoding="utf-8"))) if inputs.is_file() else {}
