"""The typed configuration of one run: its groups, their types and defaults; imports nothing heavy.

A component (a schedule, a reward, a benchmark, a merge rule, a mix, a strategy, a selector) is a frozen dataclass in a module of its package; `src.config.compose`
registers it as the Hydra schema `schema/<group>/<module>`, from which `conf/<group>/<name>.yaml` inherits its fields,
types and defaults. To OmegaConf such a group is `Any`, as it knows no protocols; to a type checker it has its type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from omegaconf import MISSING

from src.algorithm.spec import ObjectiveSpec
from src.config.cluster import ClusterSpec
from src.config.stages import EvaluationSpec, GrpoSpec, PretrainSpec, ReportSpec, SftSpec
from src.data.selection.spec import PromptsSpec
from src.data.spec import DataSpec
from src.data.traces.spec import TracesSpec
from src.data.world.spec import WorldSpec
from src.distributed.spec import CheckpointSpec, DistributedSpec
from src.grading.spec import GraderSpec
from src.language.spec import DetectorSpec
from src.models.spec import ModelSpec
from src.rollout.spec import RolloutSpec
from src.services.spec import ServicesSpec
from src.tracking.spec import TrackingSpec

if TYPE_CHECKING:
    from src.algorithm.schedules.base import Schedule
    from src.data.benchmarks.base import Benchmark
    from src.data.mixes.base import Mix
    from src.models.merge.base import Rule
    from src.rewards.base import Reward
    from src.selectors.base import Selector
    from src.strategies.base import Strategy
else:
    Schedule = Reward = Benchmark = Mix = Rule = Selector = Strategy = Any


@dataclass(frozen=True)
class Config:
    """One run. `method` and `stages` come from `conf/experiment/`, sizes from `conf/scale/`."""

    method: str = MISSING
    scale: str = MISSING
    seed: int = 0
    minimum_characters: int = 1001  # of a completion, for rewards that ask for a long one; a scale sets it
    calibration: dict[str, dict[str, float]] = field(
        default_factory=dict
    )  # language -> cosines of 0 and 1: low and high
    root: str = "runs"
    stages: list[str] = MISSING
    data: DataSpec = field(default_factory=DataSpec)
    world: WorldSpec = field(default_factory=WorldSpec)
    model: ModelSpec = field(default_factory=ModelSpec)
    traces: TracesSpec = field(default_factory=TracesSpec)
    prompts: PromptsSpec = field(default_factory=PromptsSpec)
    pretrain: PretrainSpec = field(default_factory=PretrainSpec)
    merge: Rule = MISSING
    mix: Mix = MISSING
    sft: SftSpec = field(default_factory=SftSpec)
    grpo: GrpoSpec = field(default_factory=GrpoSpec)
    objective: ObjectiveSpec = field(default_factory=ObjectiveSpec)
    schedule: Schedule = MISSING
    reward: Reward = MISSING
    services: ServicesSpec = field(default_factory=ServicesSpec)
    benchmark: Benchmark = MISSING
    rollout: RolloutSpec = field(default_factory=RolloutSpec)
    detector: DetectorSpec = field(default_factory=DetectorSpec)
    grader: GraderSpec = field(default_factory=GraderSpec)
    strategy: Strategy = MISSING
    selector: Selector = MISSING
    evaluation: EvaluationSpec = field(default_factory=EvaluationSpec)
    tracking: TrackingSpec = field(default_factory=TrackingSpec)
    distributed: DistributedSpec = field(default_factory=DistributedSpec)
    checkpoint: CheckpointSpec = field(default_factory=CheckpointSpec)
    report: ReportSpec = field(default_factory=ReportSpec)
    cluster: ClusterSpec = field(default_factory=ClusterSpec)
