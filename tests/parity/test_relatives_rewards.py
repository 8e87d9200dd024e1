"""Rewards, measures and advantages of neighbouring methods: the cases of relatives.json, from the yaml that a run uses."""

import functools
import json

import pytest

from src.algorithm.gdpo import gdpo
from src.analysis.pareto import front
from src.analysis.pass_at_k import pass_at_k
from src.grading.grader import Grade, Status
from src.language.shares import Languages, Shares
from src.rewards.base import score
from src.rewards.batch import MEASURES
from src.rewards.examples import sample
from src.rewards.settings import MeasureSpec
from tests.helpers.configs import compose
from tests.helpers.golden import files

WANTED = "fr"
LONG = Shares(known={"fr": 100}, letters=100)  # an answer that needs a language
MILLION = 1_000_000


def share(value, code=WANTED):
    """A text of which this share of the letters and of the probability is in the language."""
    own = round(value * MILLION)
    return Shares({code: own, "xx": MILLION - own}, {}, MILLION)


def languages(trace=LONG, answer=LONG, completion=LONG):
    return Languages(trace, answer, completion)


def row(right=0, wanted=WANTED, think=None, answer=None, closes=1, completion=None, **fields):
    """A sample with these verdicts."""
    row = sample(correct=bool(right), query_language=wanted, detected=think, closed=closes > 0, **fields)
    own = closes > 0 and think is not None and think == wanted
    changed = {"in_language": own, "answer_detected": answer}
    fidelity = type(row.fidelity)(**(vars(row.fidelity) | changed))
    text = row.completion if completion is None else completion
    return type(row)(
        **{name: getattr(row, name) for name in row.__dataclass_fields__} | {"fidelity": fidelity, "completion": text}
    )


def m_thinker(case):
    tail = "</think>" * case["closes"] + "\\boxed{1}"
    evidence = {"thought_alignment": case["cta"]} if "cta" in case else {}
    text = "a" * (case["chars"] - len(tail)) + tail
    wanted = case.get("wanted", "ja")
    return row(
        case["right"],
        wanted,
        case["think"],
        case["answer"],
        case["closes"],
        text,
        languages=languages(),
        evidence=evidence,
    )


def budget_alignment(case):
    text = "a</think>\\boxed{1}" if case["format"] else "a</think>1"
    return row(case["right"], completion=text, languages=languages(completion=share(case["p"])))


def trit(case):
    line = "twenty characters or more\n"
    text = line * (9 if case["repeats"] else 1) + "</think>" * case["closes"]
    evidence = languages(trace=share(case["p_think"]), answer=share(case["p_answer"]))
    return row(case["right"], closes=case["closes"], completion=text, languages=evidence)


def explang(case):
    tag = f"<lang_select>\n{case['selected']}\n</lang_select>\n" if case["selected"] else ""
    return row(case["right"], think=case["think"], completion=f"{tag}<think>a</think>1")


def bridge_math(case):
    evidence = languages(trace=share(case["p"], case["detected"]))
    return row(case["right"], case["wanted"], case["detected"], languages=evidence)


def bridge_factual(case):
    own = case["in_language"]
    trace = Shares(sentences={WANTED: own, "xx": case["sentences"] - own})
    characters = case["think_chars"]
    text = "no trace" if characters is None else "a" * characters + "</think>1"
    return row(closes=int(characters is not None), completion=text, languages=languages(trace=trace))


def pivot(case):
    evidence = {"agrees": case["agrees"], "cosine": case["cosine"]}
    return row(think=WANTED if case["in_language"] else "xx", evidence=evidence)


def answered(answer, **fields):
    return sample(grade=Grade(Status.WRONG if answer else Status.UNPARSED, answer, "boxed"), **fields)


def named(*pairs):
    """spec -> settings of the reward, of the names that the spec has."""
    return lambda spec: [f"reward.{setting}={spec[name]}" for name, setting in pairs if name in spec]


LENGTH = ("minimum_characters", "measures.minimum_characters")
# Unit -> a case's input as a sample, and its spec as settings.
REWARDS = {
    "budget_alignment": (
        budget_alignment,
        named(*((name, f"parts.{name}.weight") for name in ("format", "accuracy", "language"))),
    ),
    "m_thinker": (m_thinker, named(LENGTH, ("on_failure", "missing"))),
    "slc": (m_thinker, named(LENGTH, ("accuracy", "parts.accuracy.weight"), ("language", "parts.language.weight"))),
    "trit": (trit, named(("least", "measures.least_probability"))),
    "explang_explore": (explang, named()),
    "explang_exploit": (explang, named()),
    "bridge_math": (bridge_math, named()),
    "bridge_factual_language": (bridge_factual, named()),
    "mixture": (
        lambda case: row(languages=languages(trace=share(case["share"]))),
        named(("low", "measures.share_low"), ("high", "measures.share_high")),
    ),
    "share_curriculum": (
        lambda case: row(progress=case["progress"], languages=languages(trace=share(case["share"]))),
        lambda spec: ["reward.parts.language.weight=1", f"reward.measures.share_start={spec['start']}"],
    ),
    "pivot": (
        pivot,
        lambda spec: [
            "calibration=none",
            *named(
                *(("answer", "parts.answer.weight"), ("coherence", "parts.coherence.weight")),
                *(("low", "measures.cosine_low"), ("high", "measures.cosine_high")),
            )(spec),
        ],
    ),
    "self_pivot": (lambda case: answered(case["answer"], pivot=tuple(case["pivot"])), named()),
    "consistency": (lambda case: answered(case[1], query_language=case[0], problem="p"), named()),
}


@functools.cache
def reward_of(name, settings):
    """The reward of a run, with these settings."""
    return compose("+experiment=grpo", f"reward={name}", *settings).reward


def rewards(case):
    name = case["unit"].removeprefix("reward.")
    make, settings = REWARDS[name]
    samples = [make(given) for given in case["in"]]
    return score(reward_of(name, tuple(settings(case["spec"]))), samples).total


def repeated_line(case):
    settings = MeasureSpec(line_length=case["spec"]["length"], line_times=case["spec"]["times"])
    # Other lines between, which are no repetition of their own.
    texts = ["".join(f"{'x' * given['length']}\n{n}\n" for n in range(given["times"])) for given in case["in"]]
    return MEASURES["repeats"].values([sample(completion=text) for text in texts], settings)


def advantage(case):
    given = case["in"]
    columns = [list(column) for column in zip(*given["rewards"], strict=True)]
    total, result = gdpo(columns, case["spec"]["weights"], given["group"], case["spec"]["epsilon"])
    return {"sum": total.tolist(), "advantage": result.tolist()}


def following(case):
    made = [
        row(wanted=given["wanted"], think=given["think"], answer=given["answer"], languages=languages())
        for given in case["in"]
    ]
    both, think = (MEASURES[name].values(made, MeasureSpec()) for name in ("both_parts", "in_language"))
    return [{"both": one, "think": other} for one, other in zip(both, think, strict=True)]


OTHERS = {
    "measure.repeated_line": repeated_line,
    "advantage.gdpo": advantage,
    "metric.following": following,
    "metric.pass_at_k": lambda case: [float(pass_at_k([n], [c], k)[0]) for n, c, k in case["in"]],
    "study.dominates": lambda case: [front([other, one]) == [1] for one, other in case["in"]],
}
UNITS = {f"reward.{name}": rewards for name in REWARDS} | OTHERS
FILES = [json.loads(path.read_text(encoding="utf-8")) for path in files("relatives.json")]
CASES = [(case, file["tolerance"]) for file in FILES for case in file["cases"] if case["unit"] in UNITS]
if not CASES:
    pytest.skip("no golden vectors: relatives.json is not in $GOLDEN_DIR", allow_module_level=True)


def same(value, expected, tolerance):
    if isinstance(expected, dict):
        return value.keys() == expected.keys() and all(same(value[key], expected[key], tolerance) for key in expected)
    if isinstance(expected, list):
        pairs = zip(value, expected, strict=True)
        return len(value) == len(expected) and all(same(one, other, tolerance) for one, other in pairs)
    return value is None if expected is None else value == pytest.approx(float(expected), abs=tolerance)


@pytest.mark.parametrize(("case", "tolerance"), CASES, ids=[f"{case['unit']}-{case['id']}" for case, _ in CASES])
def test_relatives(case, tolerance):
    value = UNITS[case["unit"]](case)
    assert same(value, case["out"], tolerance), f"{value} is not {case['out']}"
