"""`cluster=slurm_*`: the runs of a command as SLURM jobs, submitted by submitit, waited for, and summed up."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher
from omegaconf import DictConfig, OmegaConf

from src.common.console import clock
from src.common.errors import UserError
from src.config.checks import check
from src.config.compose import Composition, build
from src.config.directory import run_directory
from src.config.schema import Config
from src.orchestration.cluster import record, summary
from src.orchestration.cluster.job import SlurmJob
from src.orchestration.cluster.queue import in_queue
from src.orchestration.cluster.snapshot import shell_lines, snapshot
from src.store.directory import CONFIG, ERROR, OVERRIDES, RunDirectory
from src.store.status import read as status

OWN = ("submitit_folder", "max_num_timeout")  # of the launcher's settings: they are no options of sbatch


@dataclass(frozen=True)
class PlannedRun:
    """A run that may need a job."""

    overrides: tuple[str, ...]
    node: DictConfig
    config: Config
    directory: Path


class Slurm(SlurmLauncher):
    """Submits commands, not pickled code: a job is what `python -m src.run` does, from a copy of the repository."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Submit a job for every run that is neither finished nor in the queue, wait for all, show what came of them; the
        process ends with code 1 when one is not finished then.

        Raises:
            UserError: a configuration cannot run, or SLURM does not take the jobs; none is submitted then.
        """
        assert self.config is not None
        if shutil.which("sbatch") is None:
            raise UserError("cluster=slurm_* needs SLURM's programs (sbatch, srun, squeue); there is no sbatch here")
        planned = [self._planned(overrides) for overrides in job_overrides]
        if any(run.config.cluster != planned[0].config.cluster for run in planned):
            raise UserError("cluster.* must be the same for all runs of a command: they are one array of jobs")
        folder = Path(self.config.hydra.sweep.dir).absolute()
        jobs = dict.fromkeys((run.directory for run in planned), "")
        held = {
            path: submitted.job
            for path in jobs
            if (submitted := record.read(path)) and submitted.job and status(path).state != "finished"
        }
        alive = in_queue(held.values()) or {}
        jobs |= {path: job for path, job in held.items() if job in alive}
        needed = {run.directory: run for run in planned if not jobs[run.directory] and not _finished(run.directory)}
        for path, job in jobs.items():
            if path not in needed:
                print(f"{path}: " + (f"in the queue as job {job}" if job else "finished"), flush=True)
        if needed:
            jobs |= self._submit(list(needed.values()), folder)
        try:
            wait(jobs, planned[0].config.cluster.poll_s)
        except KeyboardInterrupt:
            ids = " ".join(job for job in jobs.values() if job)
            print(f"\nThe jobs go on: python -m src status shows them, scancel {ids} ends them.", file=sys.stderr)
            raise
        rows = summary.rows(jobs)
        summary.show(rows, folder)
        if any(row.state != "finished" for row in rows):
            sys.exit(1)
        return [JobReturn(status=JobStatus.COMPLETED) for _ in planned]

    def _planned(self, overrides: Sequence[str]) -> PlannedRun:
        assert self.config is not None and self.hydra_context is not None
        node = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        composition = Composition.without_hydra(node)
        config = build(node)
        check(config)
        return PlannedRun(tuple(overrides), node, config, run_directory(composition))

    def _submit(self, runs: Sequence[PlannedRun], folder: Path) -> dict[Path, str]:
        """Run directory -> job id. Each directory tells of its job from now on."""
        import submitit

        folder.mkdir(parents=True, exist_ok=True)
        options = sbatch_options(self.params, [run.config for run in runs], snapshot(folder))
        cluster = runs[0].config.cluster
        with announced(runs, folder), outside_a_job():
            executor = submitit.AutoExecutor(
                folder / "jobs" / "%j", cluster="slurm", slurm_max_num_timeout=cluster.requeues
            )
            executor.update_parameters(**options)
            with executor.batch():
                submitted = [executor.submit(SlurmJob(run.overrides, run.directory.absolute())) for run in runs]
        jobs = {run.directory: str(job.job_id) for run, job in zip(runs, submitted, strict=True)}
        for directory, job in jobs.items():
            if (held := record.read(directory)) and held.state == "queued":  # else it runs already and has told
                record.change(directory, job=job)
        print(
            f"submitted: {len(jobs)} jobs, {', '.join(jobs.values())}; code, logs and pickles are in {folder}",
            flush=True,
        )
        return jobs


@contextlib.contextmanager
def outside_a_job() -> Iterator[None]:
    """The environment without what SLURM tells a job: who submits from within one asks for what the settings say."""
    inside = "SLURM_JOB_ID" in os.environ
    held = {
        key: os.environ.pop(key)
        for key in list(os.environ)
        if inside and key.startswith("SLURM_") and key != "SLURM_CONF"
    }
    try:
        yield
    finally:
        os.environ.update(held)


@contextlib.contextmanager
def announced(runs: Sequence[PlannedRun], folder: Path) -> Iterator[None]:
    """Run directories that say they are queued; taken back when SLURM does not take the jobs.

    Raises:
        UserError: SLURM does not, or a directory cannot be written to.
    """
    import submitit

    try:
        for run in runs:
            run.directory.mkdir(parents=True, exist_ok=True)
            OmegaConf.save(run.node, run.directory / CONFIG, resolve=True)
            lines = "".join(f"{text}\n" for text in run.overrides)
            (run.directory / OVERRIDES).write_text(lines, encoding="utf-8")
            (run.directory / ERROR).unlink(missing_ok=True)
            record.write(run.directory, record.Record(folder=str(folder)))
        yield
    except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError) as error:
        for run in runs:
            record.change(run.directory, state="stopped")
        reason = next((line for line in reversed(str(error).splitlines()) if line.strip()), "").strip()
        raise UserError(
            f"SLURM did not take the jobs: {reason}. Look at cluster.partition, cluster.account ..."
        ) from None


def sbatch_options(launcher: Mapping[str, Any], configs: Sequence[Config], code: Path) -> dict[str, Any]:
    """submitit's parameters: those of Hydra's launcher, and over them ours, for jobs that all ask for the same."""
    cluster = configs[0].cluster
    threads = max(c.distributed.processes * c.distributed.threads for c in configs) // cluster.nodes
    cpus = max(cluster.cpus or threads, cluster.tasks_per_node)
    own = {
        "name": "adamame",
        "partition": cluster.partition,
        "account": cluster.account,
        "timeout_min": cluster.minutes,
        "nodes": cluster.nodes,
        "tasks_per_node": cluster.tasks_per_node,
        "gpus_per_node": cluster.gpus or None,
        "cpus_per_task": cpus // cluster.tasks_per_node,
        "mem_gb": cluster.memory_gb,
        "signal_delay_s": cluster.signal_s,
        "srun_args": ["--kill-on-bad-exit=1"],  # no rank waits for one that is gone
        "array_parallelism": cluster.at_once,
        "setup": [
            *(f"module load {name}" for name in cluster.modules),
            *cluster.setup,
            "export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK",  # srun no longer takes over what sbatch was given
            "export SLURM_EXPORT_ENV=ALL",  # and not the variables either, where a site says --export=NONE
            *shell_lines(code),
        ],
    }
    merged = {key: value for key, value in launcher.items() if key not in OWN}
    merged |= {key: value for key, value in own.items() if value is not None}
    merged["additional_parameters"] = {"requeue": True, **(launcher.get("additional_parameters") or {})}
    base = set(OmegaConf.structured(BaseQueueConf))
    return {key if key in base else f"slurm_{key}": value for key, value in merged.items() if value is not None}


def wait(jobs: Mapping[Path, str], every: int) -> None:
    """Until none of the jobs is in the queue; asks every `every` seconds, more often in the beginning. Jobs that SLURM then
    no longer has and that did not end by themselves are recorded as stopped."""
    began = time.time()
    shown = ""
    waited = set[str]()
    while True:
        states = in_queue(job for job in jobs.values() if job)
        if states is not None:
            pending = {job for job, state in states.items() if state == "PENDING"}
            for path, job in jobs.items():
                held = record.read(path)
                # SLURM has queued it again by itself; seen twice, as a job may begin just after it was looked for
                if job in pending & waited and held and held.state != "queued":
                    record.change(path, state="queued", requeues=held.requeues + 1)
            waited = pending
            names = [state.lower() for state in states.values()]
            text = ", ".join(f"{names.count(name)} {name}" for name in sorted(set(names)))
            if text != shown:
                print(f"[{clock(time.time() - began)}] {text or 'none in the queue'}", flush=True)
                shown = text
            if not states:
                break
        time.sleep(min(every, 0.5 + (time.time() - began) / 10))
    for path in jobs:
        if (held := record.read(path)) and held.state in ("queued", "running"):
            record.change(path, state="stopped")


def _finished(directory: Path) -> bool:
    return RunDirectory(directory).config.is_file() and status(directory).state == "finished"
