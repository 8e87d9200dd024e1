"""Group relative policy optimisation, one loop from top to bottom.

Departures from the textbook: the log-probabilities of the old policy are those the sampler saw (same weights, float32
arithmetic), unless `objective.loss.importance_cap` asks for the trainer's own; rewards may be weighted by the language
of the reasoning before they are normalised (`objective.advantage`); all randomness is a function of (seed, step,
prompt), so a run that was killed repeats itself.
"""

from __future__ import annotations

import time

from src.algorithm.filters import has_contrast
from src.common import console
from src.common.seeds import derive_seed
from src.config.schema import Config
from src.data import sources
from src.data.chat import Chat
from src.data.readers import BadData
from src.data.records import Question
from src.models.ends import note_ends
from src.models.load import load_model, load_policy, load_tokenizer, pad_token
from src.models.save import save_model
from src.pipeline.preflight.look import Look
from src.pipeline.stage import Declaration, Stage
from src.rewards.base import PIVOT, needs_of
from src.rewards.evidence import services_of
from src.rollout.asking import asked_by, prompts_of
from src.rollout.engines.build import build_engine
from src.rollout.evidence import Evidence
from src.rollout.generate import Trajectory
from src.rollout.judge import Judge
from src.rollout.services import Services
from src.rollout.strange import note_of
from src.store.directory import SERVICES
from src.store.seen import note_seen
from src.strategies.base import Strategy
from src.strategies.plain import Plain
from src.training.build import build_learner
from src.training.collect import Collector
from src.training.credit import assign_credit
from src.training.loop import Loop
from src.training.metrics import RowUpdate, answer_entropy, evidence_metrics, rollout_rows, step_metrics
from src.training.update import Updater, minibatches
from src.training.validation import PeriodicValidation

PLAIN = Plain()
INPUTS = (
    "seed",
    "data.prompts",
    "data.instruction",
    "world",
    "grpo",
    "objective",
    "schedule",
    "reward",
    "rollout",
    "detector",
    "grader",
    "model",
)


def declare(config: Config) -> Declaration:
    """What the pipeline must know of this stage."""
    return Declaration((*INPUTS, *asked_by(config), *services_of(config.reward)), prompts=True, makes_model=True)


def preflight(look: Look) -> None:
    """Questions can be read, graded and asked, the engine and the reward's evidence are there, and what is trained can be
    saved."""
    config = look.config
    limit = config.grpo.maximum_prompt_tokens
    look.check_model()
    questions: list[Question] = []
    with look.attempt("data.prompts"):
        if look.exists(config.data.prompts):
            questions = sources.grpo_questions(config.data, config.world, config.grpo.prompts_per_language, config.seed)
    look.check_golds(questions)
    look.check_prompts(questions, config.rollout.maximum_new_tokens, limit)
    with look.attempt("grpo.maximum_prompt_tokens"):
        shortest = sorted(questions, key=lambda question: len(question.question))[:20]
        short_enough(look.chat, shortest, limit if shortest else None, config.strategy)
    look.check_engine()
    look.check_services(questions)
    look.check_export()


def run(stage: Stage) -> None:
    """Train for `grpo.steps` steps from the given model; leaves `model/`, `metrics.jsonl`, `rollouts/`."""
    config = stage.config
    ranks = stage.ranks
    settings = stage.config.grpo
    # 0. Policy, reference, sampler, judge; and where an earlier attempt stopped.
    tokenizer = load_tokenizer(stage.planned.model, config.model)
    model = load_policy(stage.planned.model, config.model, ranks.device, derive_seed("adapters", config.seed))
    frozen = None
    if needs_copy(config):
        frozen = load_model(stage.planned.model, config.model, ranks.device).requires_grad_(False)
    policy = build_learner(model, settings.optimiser, ranks, config.distributed)
    loop = Loop(stage, policy, settings.steps)
    controller = config.schedule.start()
    controller.load_state_dict(loop.extra.get("schedule", {}))
    engine = build_engine(config.rollout, model, tokenizer)
    chat = Chat.of(tokenizer, config.data.instruction, config.model)
    questions = sources.grpo_questions(
        config.data, config.world, settings.prompts_per_language, config.seed, settings.prompts_by == "problem"
    )
    questions = short_enough(chat, questions, settings.maximum_prompt_tokens, config.strategy)
    asked = [question.language for question in questions]
    if wrong := sources.never_asked(config.schedule.per_language, asked, str(config.data.prompts)):
        raise BadData("\n".join(wrong))
    updater = Updater(
        policy,
        config.objective.loss,
        config.rollout.temperature,
        settings.tokens_per_microbatch,
        pad_token(tokenizer),
        frozen,
    )

    needs = needs_of(config.reward)
    with (
        Judge(config.detector, config.grader, config.model.thinks) as judge,
        Services.of(config.services, config.data, needs, stage.directory / SERVICES, ranks.rank) as services,
        loop,
    ):
        judge.check_gold_answers(questions)
        evidence = Evidence(config.reward, judge, services)
        collect = Collector(stage, model, chat, engine, judge, evidence, questions, policy.logprobs)
        validate = PeriodicValidation.of(stage, model, chat, engine, judge)
        for step in loop:
            began = time.perf_counter()
            in_rollout = 0.0
            trajectories: list[Trajectory] = []
            for number in range(config.objective.sampling_rounds):
                # 1. A round of prompts: roll out, grade, identify languages.
                more, seconds = collect(step, number)
                trajectories = trajectories + more
                in_rollout += seconds
                groups = [trajectory.group for trajectory in trajectories]
                # 2. Rewards, language terms, advantages, over whole groups.
                samples = [trajectory.sample for trajectory in trajectories]
                progress = step / settings.steps
                greedy = [trajectory.greedy for trajectory in trajectories]
                credit = assign_credit(config.reward, config.objective.advantage, controller, samples, progress, greedy)
                advantage = credit.result.advantage
                # 3. The groups to train on: those drawn, or with dynamic sampling enough that have a contrast.
                trained = sorted(set(groups))
                if config.objective.sampling_rounds > 1:
                    trained = has_contrast(advantage, groups)[: settings.prompts_per_step]
                if len(trained) == settings.prompts_per_step:
                    break
            controller = credit.controller
            judged = time.perf_counter()
            if step == 0 and loop.writes:
                texts, cut = ([s.completion for s in samples], [s.truncated for s in samples])
                if strange := note_of(texts, cut, config.model.thinks, config.rollout.maximum_new_tokens):
                    console.note(f"step 1: {strange}")
            # 4. Update: whole groups form each mini-batch.
            rate = settings.optimiser.rate(step, settings.steps)
            minibatch_rows = minibatches(groups, trained, settings.updates_per_step)
            batches = [updater.microbatches(trajectories, rows, advantage) for rows in minibatch_rows]
            old = updater.old_logprobs([micro for minibatch in batches for micro in minibatch])
            changes: dict[int, RowUpdate] = {}
            losses: list[float] = []
            norms: list[float] = []
            for update, (rows, minibatch) in enumerate(zip(minibatch_rows, batches, strict=True)):
                tokens = sum(len(trajectories[i].rollout.tokens) for i in rows)
                share, changed = updater.accumulate(minibatch, advantage, old, tokens, len(rows))
                changes |= changed
                (total,) = ranks.sum([share])
                losses.append(total)
                norms.append(policy.update(rate, total, f"grpo step {step + 1}, update {update + 1}"))
            every_change = dict(pair for pairs in ranks.gather([list(changes.items())]) for pair in pairs)
            updated = time.perf_counter()
            of_services = evidence_metrics(evidence, step, ranks)
            # 5. Validate, log, keep the rollouts, save.
            validation = validate(step + 1)
            if loop.writes:
                table = rollout_rows(step + 1, trajectories, credit, every_change)
                parts = list(credit.scores.parts)
                metrics = step_metrics(table, parts) | controller.metrics() | of_services | validation
                if PIVOT in needs:
                    metrics["answer_entropy"] = answer_entropy(table)
                metrics |= {
                    "loss": sum(losses) / max(1, len(losses)),
                    "grad_norm": max(norms, default=0.0),
                    "learning_rate": rate,
                    "progress": progress,
                    "seconds_rollout": in_rollout,
                    "seconds_judge": judged - began - in_rollout,
                    "seconds_update": updated - judged,
                    "tokens_per_second": sum(len(t.rollout.tokens) for t in trajectories) / (updated - began),
                }
                note = f"accuracy {metrics['accuracy']:.2f}  fidelity {metrics['fidelity']:.2f}"
                loop.log(metrics, note, table, parts)
            loop.save({"schedule": controller.state_dict()})
    # 6. Keep the result.
    note_ends(model, tokenizer)
    save_model(model, tokenizer, stage.planned.result, write=ranks.main)
    if ranks.main:
        note_seen(stage.planned.result, stage.planned.name, stage.planned.model, asked)


def needs_copy(config: Config) -> bool:
    """Whether the reference policy is a second model: with adapters it is the policy without them, and without a KL
    penalty there is none."""
    return config.objective.loss.kl_coefficient > 0 and config.model.lora.rank == 0


def short_enough(
    chat: Chat, questions: list[Question], limit: int | None, strategy: Strategy = PLAIN
) -> list[Question]:
    """The questions whose prompts, as the strategy asks them, have at most `limit` tokens (None: all). Raises `BadData` when none is left."""
    if limit is None:
        return questions
    kept = [
        question for question in questions if max(map(len, prompts_of(strategy, chat, question)), default=0) <= limit
    ]
    if not kept:
        raise BadData(
            f"grpo.maximum_prompt_tokens must leave at least one of {len(questions)} questions; {limit} leaves none"
        )
    return kept
