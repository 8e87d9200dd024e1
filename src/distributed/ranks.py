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
from src.distributed.environment import launch_environment
from src.distributed.spec import DistributedSpec

T = TypeVar("T")


class RanksLost(UserError):
    """Another rank ended, or does not come to where all meet."""


@dataclass(frozen=True)
class Ranks:
    """This process's `rank` among `size`. With `size` 1 every operation is the identity."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def main(self) -> bool:
        """Whether this is the rank that writes files and reports progress."""
        return self.rank == 0

    def shard(self, items: Sequence[T]) -> list[T]:
        """Every `size`-th of `items`, beginning at `rank`: this rank's part of the work."""
        return list(items[self.rank :: self.size])

    def gather(self, part: Sequence[T]) -> list[T]:
        """On every rank, the whole whose `shard` each rank holds; the inverse of `shard`."""
        if self.size == 1:
            return list(part)
        parts: list[Any] = [None] * self.size
        with self._collective("to gather what each has"):
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
            with self._collective("to sum their numbers"):
                torch.distributed.all_reduce(total)
        return total.tolist()

    def max(self, value: int) -> int:
        """The largest of all ranks' values."""
        return max(self.gather([value]))

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over ranks, in one message; a missing gradient counts as zero."""
        if self.size == 1:
            return
        trained = [p for p in parameters if p.requires_grad]
        for parameter in trained:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([p.grad.flatten() for p in trained if p.grad is not None])
        with self._collective("to sum their gradients"):
            torch.distributed.all_reduce(flat)
        offset = 0
        for parameter in trained:
            count = parameter.numel()
            _grad(parameter).copy_(flat[offset : offset + count].view_as(parameter))
            offset += count

    def barrier(self) -> None:
        """Wait until every rank is here."""
        if self.size > 1:
            with self._collective("to end a stage"):
                torch.distributed.barrier()

    @contextlib.contextmanager
    def _collective(self, purpose: str) -> Iterator[None]:
        """Wait for the other ranks inside, `distributed.timeout_s` seconds at most.

        Raises:
            RanksLost: one of them is gone, or does not come.
        """
        began = time.monotonic()
        try:
            yield
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise RanksLost(
                f"rank {self.rank} of {self.size} has waited {time.monotonic() - began:.0f} s for the other ranks "
                f"{purpose}; one is gone or did not come within distributed.timeout_s ({reason}). Its own message tells why. "
                "The same command goes on from the last checkpoint"
            ) from None


def init_ranks(spec: DistributedSpec) -> Ranks:
    """Start the process group and return this process's ranks, all of them there (see `src.distributed.environment`)."""
    launched = launch_environment()
    torch.set_num_threads(spec.threads)
    device = spec.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        _check_gpu(launched.local)
        torch.cuda.set_device(launched.local)
        device = f"cuda:{torch.cuda.current_device()}"
        # cuDNN's attention plans each new shape anew, and here nearly all are: a token more each step of decoding, and
        # micro-batches of other lengths. The other kernels plan nothing.
        torch.backends.cuda.enable_cudnn_sdp(False)
    if launched.rendezvous:
        backend = "nccl" if device.startswith("cuda") else "gloo"
        # gloo beside nccl: objects and float64 sums travel on the CPU
        torch.distributed.init_process_group(
            backend if backend == "gloo" else "cpu:gloo,cuda:nccl",
            init_method=launched.rendezvous,
            rank=launched.rank,
            world_size=launched.size,
            timeout=datetime.timedelta(seconds=spec.timeout_s),
        )
    return Ranks(launched.rank, launched.size, device)


def _check_gpu(local: int) -> None:
    """Raise `UserError` unless torch sees a GPU for rank `local` of this machine."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        raise UserError(
            "distributed.device=cuda needs an NVIDIA GPU and a torch built for it; none is seen here (nvidia-smi lists them). "
            "Use distributed.device=auto or cpu"
        )
    if local >= count:
        raise UserError(
            f"every rank needs a GPU of its own; rank {local} of this machine has none, for {count} are seen here. Use "
            f"distributed.processes={count}, or CUDA_VISIBLE_DEVICES with more"
        )


def shutdown_ranks() -> NoReturn:
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
