"""DeepSpeed ZeRO: the optimiser (1), gradients too (2) and weights too (3) are split over the ranks.

Same interface, losses and checkpoints as `Learner`. A checkpoint holds whole tensors, gathered one at a time, and so
resumes on any number of ranks and with any stage.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from src.common.errors import UserError
from src.distributed.ranks import Ranks
from src.distributed.spec import DistributedSpec, OptimiserSpec
from src.models.load import whole
from src.models.logprobs import Batch, completion_logprobs
from src.store.checkpoints import State
from src.training.learner import Learner, NotFinite, adamw, check_finite, trained

MOMENTS = ("exp_avg", "exp_avg_sq")


class ZeroLearner(Learner):
    """See `Learner`. In bfloat16 the weights that are updated are in float32, and so are their moments."""

    lockstep = True  # gradients and weights travel while a micro-batch is under way
    fuses = False  # and DeepSpeed takes gradients from autograd
    shares = False  # of one call

    def __init__(self, policy: Any, spec: OptimiserSpec, ranks: Ranks, distributed: DistributedSpec) -> None:
        deepspeed = _deepspeed()
        self.policy = policy
        self.spec = spec
        self.ranks = ranks
        self.stage = distributed.zero
        self.optimiser = adamw([p for p in policy.parameters() if p.requires_grad], spec)
        dtype = next(p.dtype for p in policy.parameters())
        self.engine, self.zero, *_ = deepspeed.initialize(
            model=_Scorer(policy),
            optimizer=self.optimiser,
            config=settings(distributed, spec.gradient_clip, dtype),
            dist_init_required=False,
        )

    def logprobs(self, batch: Batch, temperature: float = 1.0, entropy: str = "value") -> tuple[Tensor, Tensor]:
        """See `Learner.logprobs`."""
        scores: tuple[Tensor, Tensor] = self.engine(batch, temperature, entropy)
        return scores

    def backward(self, loss: Tensor) -> None:
        """See `Learner.backward`. DeepSpeed takes the mean over ranks, and the whole is their sum."""
        self.engine.backward(loss * self.ranks.size)

    def update(self, rate: float, loss: float, where: str) -> float:
        """See `Learner.update`."""
        if not math.isfinite(loss):
            check_finite(loss, math.nan, where)
        for group in self.zero.param_groups:
            group["lr"] = rate
        self.engine.step()
        norm = float(self.engine.get_global_grad_norm())
        if not math.isfinite(norm):  # too late to keep the weights: a run goes on from its last checkpoint
            raise NotFinite(
                f"{where}: gradient norm {norm}; it must be finite. The last checkpoint is good. Lower the learning "
                "rate or look at the rollouts of this step, then run again"
            )
        return norm

    def state(self) -> State:
        """See `Learner.state`. Gathered one tensor at a time, on the CPU."""
        from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state

        step = torch.tensor(float(self.zero.optimizer.state[self._partitions()[0]]["step"]))
        weights = {}
        moments = {}
        for name, parameter in trained(self.policy).items():
            weights[name] = safe_get_full_fp32_param(parameter).to("cpu", copy=True)
            for moment in MOMENTS:
                full = safe_get_full_optimizer_state(parameter, moment)
                moments[f"{name}|{moment}"] = full.to("cpu", copy=True)
            moments[f"{name}|step"] = step.clone()
        return State(weights, moments)

    @torch.no_grad()
    def load(self, state: State) -> None:
        """See `Learner.load`."""
        from deepspeed.utils import safe_set_full_fp32_param, safe_set_full_optimizer_state

        state.check_fits(trained(self.policy))
        base = self.zero.optimizer
        step = max((float(value) for key, value in state.moments.items() if key.endswith("|step")), default=0.0)
        for flat in self._partitions():
            base.state[flat] = {"step": torch.tensor(step, device=flat.device if flat.is_cuda else "cpu")}
            base.state[flat] |= {moment: torch.zeros_like(flat) for moment in MOMENTS}
        if self.stage < 3:
            self.zero._lazy_init_hp_params_optimizer_state()
        for name, parameter in trained(self.policy).items():
            value = state.weights[name].to(self.ranks.device, torch.float32)
            with whole([parameter], change=True):
                parameter.copy_(value)
            safe_set_full_fp32_param(parameter, value)
            for moment in MOMENTS:
                full = state.moments.get(f"{name}|{moment}", torch.zeros_like(value)).to(value)
                safe_set_full_optimizer_state(parameter, full, moment)

    def _partitions(self) -> list[Tensor]:
        """This rank's float32 weights, flat: what the optimiser updates."""
        names = ("single_partition_of_fp32_groups", "fp32_partitioned_groups_flat", "fp32_groups_flat_partition")
        partitions: list[Tensor] = next(getattr(self.zero, name) for name in names if hasattr(self.zero, name))
        return partitions


class _Scorer(nn.Module):
    """What DeepSpeed calls: from a micro-batch to log-probabilities and entropies."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, batch: Batch, temperature: float, entropy: str) -> tuple[Tensor, Tensor]:
        return completion_logprobs(self.policy, batch, temperature, entropy)


def settings(spec: DistributedSpec, clip: float, dtype: torch.dtype) -> dict[str, Any]:
    """DeepSpeed's own configuration."""
    zero: dict[str, Any] = {"stage": spec.zero, "overlap_comm": False}
    if spec.offload in ("optimiser", "all"):
        zero["offload_optimizer"] = {"device": "cpu"}
    if spec.offload == "all":
        zero["offload_param"] = {"device": "cpu"}
    if spec.zero == 3:
        zero["stage3_param_persistence_threshold"] = 0
    return {
        "train_micro_batch_size_per_gpu": 1,  # unused: micro-batches are made by tokens
        "gradient_accumulation_steps": 1,
        "managed_gradient_accumulation": False,  # a step ends when `update` says so
        "gradient_clipping": clip,
        "zero_optimization": zero,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,  # torch's AdamW, so that nothing has to be compiled
        "bf16": {"enabled": dtype == torch.bfloat16},
        "data_types": {"grad_accum_dtype": "fp32"},  # many micro-batches are added up
    }


def _deepspeed() -> Any:
    """The library, without its compiled operation for inference on CPUs, which would need a compiler at run time, and
    without its warnings of old names in torch."""
    warnings.filterwarnings("ignore", category=FutureWarning, module="torch.distributed")
    try:
        import deepspeed
    except ImportError:
        raise UserError(
            "distributed.zero above 0 needs DeepSpeed, which is not installed. Install it (pip install -c "
            "constraints.txt deepspeed), or distributed.zero=0"
        ) from None
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    return deepspeed
