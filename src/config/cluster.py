"""What a run asks of a cluster; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field

ASK = "???"  # no value yet: the site chooses


@dataclass(frozen=True)
class ClusterSpec:
    """Of one job: `minutes` at most, on `nodes` nodes with `gpus`, `cpus` and `memory_gb` each. `cpus` null is as many as
    the run's ranks have threads, other nulls are the site's defaults. With one task a node the run starts its own ranks;
    with more, SLURM starts every rank as a task, `nodes` x `tasks_per_node` in all, which several nodes need.

    `modules` are loaded and the shell lines of `setup` run before the job begins. `signal_s` seconds before its time is
    up it stops and goes back to the queue, `requeues` times at most. `at_once` jobs of one command run side by side; who
    submitted them looks every `poll_s` seconds.
    """

    partition: str | None = ASK
    account: str | None = ASK
    minutes: int = 60
    nodes: int = 1
    tasks_per_node: int = 1
    gpus: int = 0
    cpus: int | None = None
    memory_gb: int | None = None
    modules: list[str] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    signal_s: int = 120
    requeues: int = 100
    at_once: int = 256
    poll_s: int = 10

    @property
    def tasks(self) -> int:
        """Ranks that SLURM starts."""
        return self.nodes * self.tasks_per_node

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = [
            f"cluster.{name} must be at least 1; got {value}"
            for name in ("minutes", "nodes", "tasks_per_node", "cpus", "memory_gb", "at_once", "poll_s")
            if (value := getattr(self, name)) is not None and value < 1
        ]
        violations += [
            f"cluster.{name} must be at least 0; got {value}"
            for name in ("gpus", "requeues")
            if (value := getattr(self, name)) < 0
        ]
        if not 1 <= self.signal_s < 60 * self.minutes:
            violations.append(
                f"cluster.signal_s must be at least 1 and below the time of a job, {60 * self.minutes} s (cluster.minutes); "
                f"got {self.signal_s}"
            )
        return violations
