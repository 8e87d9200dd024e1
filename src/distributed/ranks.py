"""Data-parallel ranks: the same code runs on one process or on many."""

from __future__ import annotations

import contextlib
import datetime
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import torch
from torch import Tensor, nn

from src.common.errors import UserError
from src.distributed.environment import place
from src.distributed.spec import DistributedSpec

T = TypeVar("T")


class RanksLost(UserError):
    """Another rank ended, or does not come to where all meet."""


@dataclass(frozen=True)
class Ranks:
    """This process's place among `size` ranks. With `size` 1 every operation is the identity."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def main(self) -> bool:
        """Whether this is the rank that writes files and reports progress."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """Every `size`-th of `items`, beginning at `rank`: this rank's part of the work."""
        return list(items[self.rank :: self.size])

    def gather(self, part: Sequence[T]) -> list[T]:
        """On every rank, the whole whose `share` each rank holds; the inverse of `share`."""
        if self.size == 1:
            return list(part)
        parts: list[Any] = [None] * self.size
        with self._together("to gather what each has"):
            torch.distributed.all_gather_object(parts, list(part))
        whole: list[T] = []
        for index in range(max(len(p) for p in parts)):
            whole.extend(p[index] for p in parts if index < len(p))
        return whole

    def sum(self, values: Iterable[float]) -> list[float]:
        """Element-wise sum over ranks, in float64."""
        total = torch.tensor(list(values), dtype=torch.float64)
        if self.size > 1:
            total = total.to(self.device)
            with self._together("to sum their numbers"):
                torch.distributed.all_reduce(total)
        return total.tolist()  # type: ignore[no-any-return]

    def most(self, value: int) -> int:
        """The largest of all ranks' values."""
        return max(self.gather([value]))

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over ranks, in one message; a missing gradient counts as zero."""
        if self.size == 1:
            return
        held = [p for p in parameters if p.requires_grad]
        for parameter in held:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([p.grad.flatten() for p in held if p.grad is not None])
        with self._together("to sum their gradients"):
            torch.distributed.all_reduce(flat)
        offset = 0
        for parameter in held:
            count = parameter.numel()
            _grad(parameter).copy_(flat[offset : offset + count].view_as(parameter))
            offset += count

    def wait(self) -> None:
        """Until every rank is here."""
        if self.size > 1:
            with self._together("to end a stage"):
                torch.distributed.barrier()

    @contextlib.contextmanager
    def _together(self, purpose: str) -> Iterator[None]:
        """Wait for the other ranks inside, `distributed.timeout_s` seconds at most.

        Raises:
            RanksLost: one of them is gone, or does not come.
        """
        began = time.monotonic()
        try:
            yield
        except RuntimeError as error:
            said = str(error).splitlines()[0]
            raise RanksLost(
                f"rank {self.rank} of {self.size} has waited {time.monotonic() - began:.0f} s for the other ranks "
                f"{purpose}; one is gone or did not come within distributed.timeout_s ({said}). Its own message tells why. "
                "The same command goes on from the last checkpoint"
            ) from None


def join(spec: DistributedSpec) -> Ranks:
    """The ranks of this process, all of them there (see `src.distributed.environment`)."""
    here = place()
    torch.set_num_threads(spec.threads)
    device = spec.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        torch.cuda.set_device(here.local)
        device = f"cuda:{torch.cuda.current_device()}"
    if here.rendezvous:
        backend = "nccl" if device.startswith("cuda") else "gloo"
        # gloo beside nccl: objects and float64 sums travel on the CPU
        torch.distributed.init_process_group(
            backend if backend == "gloo" else "cpu:gloo,cuda:nccl",
            init_method=here.rendezvous,
            rank=here.rank,
            world_size=here.size,
            timeout=datetime.timedelta(seconds=spec.timeout_s),
        )
    return Ranks(here.rank, here.size, device)


def leave() -> NoReturn:
    """End this rank's process, once every rank is done.

    Without Python's and gloo's own clean-up: gloo's threads may still be running then, and the C++ runtime aborts a
    process that destroys one of them, after all work is done. Everything that matters has been written by now.
    """
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _grad(parameter: nn.Parameter) -> Tensor:
    if parameter.grad is None:  # pragma: no cover - filled by sum_gradients
        raise RuntimeError("a gradient vanished between two lines")
    return parameter.grad
