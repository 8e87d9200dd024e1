"""Group relative policy optimisation, one loop from top to bottom.

Departures from the textbook: the log-probabilities of the old policy are those the sampler saw (same weights, float32
arithmetic), unless `objective.loss.importance_cap` asks for the trainer's own; rewards may be weighted by the language
of the reasoning before they are normalised (`objective.advantage`); all randomness is a function of (seed, step,
prompt), so a run that was killed repeats itself.
"""

from __future__ import annotations

import time

from src.algorithm.filters import has_contrast
from src.common.seeds import stream
from src.config.schema import Config
from src.data import sources
from src.data.chat import Chat
from src.data.readers import BadData
from src.data.records import Question
from src.models.load import load_model, load_policy, load_tokenizer, pad_token
from src.models.save import save_model
from src.pipeline.stage import Stage
from src.rollout.engines.build import build_engine
from src.rollout.judge import Judge
from src.store.rollouts import truncate_rollouts, write_rollouts
from src.training.build import learner
from src.training.collect import Sampled, Sampler
from src.training.credit import weigh
from src.training.metrics import RowUpdate, rollout_rows, step_metrics
from src.training.update import accumulate, cut, minibatches, old_logprobs
from src.training.validation import Between


def run(stage: Stage) -> None:
    """Train for `grpo.steps` steps from the given model; leaves `model/`, `metrics.jsonl`, `rollouts/`."""
    config, ranks, settings = stage.config, stage.ranks, stage.config.grpo
    # 0. Policy, reference, sampler, judge; and where an earlier attempt stopped.
    tokenizer = load_tokenizer(stage.planned.model, config.model)
    policy = load_policy(stage.planned.model, config.model, ranks.device, stream("adapters", config.seed))
    frozen = None
    if needs_copy(config):
        frozen = load_model(stage.planned.model, config.model).to(ranks.device).requires_grad_(False)
    learning = learner(policy, settings.optimiser, ranks, config.distributed)
    start, extra = stage.checkpoints.restore(learning)
    controller = config.schedule.start()
    controller.load_state_dict(extra.get("schedule", {}))
    engine = build_engine(config.rollout, policy, tokenizer)
    chat = Chat.of(tokenizer, config.data.instruction, config.model)
    questions = sources.grpo_questions(config.data, config.world, settings.prompts_per_language, config.seed)
    questions = short_enough(chat, questions, settings.maximum_prompt_tokens)
    tracker = stage.tracker()
    if tracker:
        tracker.resume(start)
        truncate_rollouts(stage.directory / "rollouts", start)

    with (
        Judge(config.detector, config.grader, config.model.thinks) as judge,
        stage.progress(settings.steps, "step", start) as advance,
    ):
        judge.check_golds(questions)
        sampler = Sampler(stage, policy, chat, engine, judge, questions, learning.logprobs)
        between = Between.of(stage, policy, chat, engine, judge)
        for step in range(start, settings.steps):
            began, in_rollout = time.perf_counter(), 0.0
            progress = step / settings.steps
            sampled: list[Sampled] = []
            for number in range(config.objective.sampling_rounds):
                # 1. A round of prompts: roll out, grade, identify languages.
                more, seconds = sampler(step, number)
                sampled, in_rollout = sampled + more, in_rollout + seconds
                # 2. Rewards, language terms, advantages, over whole groups.
                worth = weigh(config, controller, sampled, progress)
                # 3. The groups to train on: those drawn, or with dynamic sampling enough that have a contrast.
                trained = sorted({row.group for row in sampled})
                if config.objective.sampling_rounds > 1:
                    trained = has_contrast(worth.result.advantage, [row.group for row in sampled])[
                        : settings.prompts_per_step
                    ]
                if len(trained) == settings.prompts_per_step:
                    break
            controller = worth.controller
            judged = time.perf_counter()
            # 4. Update: whole groups form each mini-batch.
            rate = settings.optimiser.rate(step, settings.steps)
            parts = minibatches(sampled, trained, settings.updates_per_step)
            pieces = [cut(stage, learning, sampled, rows, pad_token(tokenizer)) for rows in parts]
            old = old_logprobs(stage, learning, [piece for some in pieces for piece in some])
            changes: dict[int, RowUpdate] = {}
            losses, norms = [], []
            for part, rows in enumerate(parts):
                tokens = sum(len(sampled[i].rollout.tokens) for i in rows)
                loss = accumulate(stage, learning, frozen, pieces[part], tokens, len(rows), worth.result, old, changes)
                (loss,) = ranks.sum([loss])
                losses.append(loss)
                norms.append(learning.update(rate, loss, f"grpo step {step + 1}, update {part + 1}"))
            every = {index: change for pairs in ranks.gather([list(changes.items())]) for index, change in pairs}
            updated = time.perf_counter()
            # 5. Log, keep the rollouts, save.
            measured = between(step + 1)
            state = learning.state() if config.checkpoint.due(step + 1, settings.steps) else None
            if tracker:
                rows_out = rollout_rows(step + 1, sampled, worth.rewards, worth.shaping, worth.result, every)
                metrics = step_metrics(rows_out) | controller.metrics() | measured | {
                    "loss": sum(losses) / max(1, len(losses)),
                    "grad_norm": max(norms, default=0.0),
                    "learning_rate": rate,
                    "progress": progress,
                    "seconds_rollout": in_rollout,
                    "seconds_judge": judged - began - in_rollout,
                    "seconds_update": updated - judged,
                    "tokens_per_second": sum(row.judged.tokens for row in sampled) / (updated - began),
                }  # fmt: skip
                if config.objective.overlong.buffer:
                    metrics["overlong_penalty"] = float(worth.shaping.mean())
                write_rollouts(stage.directory / "rollouts", step + 1, rows_out)
                tracker.log(step + 1, metrics)
                if state:
                    stage.checkpoints.save(step + 1, state, {"schedule": controller.state_dict()})
                advance(1, f"accuracy {metrics['accuracy']:.2f}  fidelity {metrics['fidelity']:.2f}")
    # 6. Keep the result.
    if tracker:
        tracker.close()
    save_model(policy, tokenizer, stage.planned.result, write=ranks.main)


def needs_copy(config: Config) -> bool:
    """Whether the reference policy is a second model: with adapters it is the policy without them, and without a KL
    penalty there is none."""
    return config.objective.loss.kl_coefficient > 0 and config.model.lora.rank == 0


def short_enough(chat: Chat, questions: list[Question], limit: int | None) -> list[Question]:
    """The questions whose prompts have at most `limit` tokens (None: all). Raises `BadData` when none is left."""
    if limit is None:
        return questions
    kept = [question for question in questions if len(chat.prompt(question)) <= limit]
    if not kept:
        raise BadData(
            f"grpo.maximum_prompt_tokens must leave at least one of {len(questions)} questions; {limit} leaves none"
        )
    return kept
