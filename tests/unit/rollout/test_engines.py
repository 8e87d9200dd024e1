"""Rollout engines: ours gives what transformers gives, and randomness belongs to the prompt."""

import json
import re
import subprocess
import sys
import time

import pytest
import torch

from src.common.errors import ConfigError, UserError
from src.common.timeout import limit
from src.config.checks import check
from src.data.readers import BadData
from src.models.load import policy_weights
from src.models.logprobs import collate, completion_logprobs
from src.rollout.engines.base import Sampling, draw, truncate
from src.rollout.engines.build import build_engine, sampling_of
from src.rollout.engines.hf import HfEngine
from src.rollout.engines.native import NativeEngine, UnsupportedArchitecture
from src.rollout.engines.scripted import FileEngine, ScriptedEngine, read_script
from src.rollout.spec import RolloutSpec, VllmSpec
from tests.helpers import tiny
from tests.helpers.paths import ROOT

PROMPTS = [[3, 4, 5], [7, 8, 9, 10, 11, 12], [5]]
END, PAD = 1, 0


def native(model, rows=64):
    engine = NativeEngine(model.config, END, PAD, rows)
    engine.load(policy_weights(model))
    return engine


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@pytest.mark.parametrize("cut", [{}, {"top_p": 0.7}, {"top_k": 9, "min_p": 0.02}], ids=str)
def test_native_equals_transformers_token_by_token(kind, cut):
    model = tiny.model(kind)
    sampling = Sampling(60, temperature=0.9, **cut)
    ours = native(model).generate(PROMPTS, [1, 2, 3], 8, sampling)
    theirs = HfEngine(tiny.model(kind), END, PAD, 64).generate(PROMPTS, [1, 2, 3], 8, sampling)
    ended = 0
    for group, other in zip(ours, theirs, strict=True):
        for one, two in zip(group, other, strict=True):
            assert one.tokens == two.tokens and one.truncated == two.truncated
            torch.testing.assert_close(one.logprobs, two.logprobs, atol=1e-5, rtol=0)
            ended += not one.truncated
    assert ended > 0 or cut  # the end token did come for some, and rows did leave the batch


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
def test_sampled_logprobs_are_those_of_the_training_pass(kind):
    model = tiny.model(kind)
    groups = native(model).generate(PROMPTS, [1, 2, 3], 4, Sampling(24, temperature=0.8))
    pairs = [(p, r) for p, group in zip(PROMPTS, groups, strict=True) for r in group]
    batch = collate([p for p, _ in pairs], [r.tokens for _, r in pairs], PAD)
    with torch.no_grad():
        logprobs, entropy = completion_logprobs(model, batch, 0.8)
    for row, (_, rollout) in enumerate(pairs):
        torch.testing.assert_close(logprobs[row, : len(rollout.tokens)], rollout.logprobs, atol=2e-5, rtol=0)
    assert (entropy[batch.mask == 0] == 0).all() and (entropy[batch.mask == 1] > 0).all()


def test_a_prompt_gets_the_same_rollouts_alone_and_in_company():
    model = tiny.model()
    together = native(model).generate(PROMPTS, [1, 2, 3], 3, Sampling(16))
    alone = native(model).generate(PROMPTS[1:2], [2], 3, Sampling(16))
    in_pieces = native(model, rows=3).generate(PROMPTS, [1, 2, 3], 3, Sampling(16))
    assert [r.tokens for r in alone[0]] == [r.tokens for r in together[1]]
    assert [[r.tokens for r in g] for g in in_pieces] == [[r.tokens for r in g] for g in together]


def test_draw_inverts_the_cumulative_distribution():
    logits = torch.log(torch.tensor([[0.1, 0.2, 0.7]])).repeat(5, 1)
    tokens, logprobs = draw(logits, torch.tensor([0.0, 0.05, 0.15, 0.31, 0.9999]), Sampling(1))
    assert tokens.tolist() == [0, 0, 1, 2, 2]
    torch.testing.assert_close(logprobs.exp(), torch.tensor([0.1, 0.1, 0.2, 0.7, 0.7]))


def left(probabilities, **cut):
    """What truncation leaves of one distribution."""
    logprobs = torch.log(torch.tensor([probabilities]))
    return truncate(logprobs, Sampling(1, **cut)).exp()[0].tolist()


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ({"top_p": 0.75}, [0, 2 / 9, 7 / 9, 0]),  # 0.7 does not hold it, 0.7 + 0.2 do
        ({"top_p": 0.7}, [0, 0, 1, 0]),
        ({"top_p": 0.01}, [0, 0, 1, 0]),  # the likeliest always stays
        ({"top_k": 1}, [0, 0, 1, 0]),
        ({"top_k": 3}, [0.08 / 0.98, 0.2 / 0.98, 0.7 / 0.98, 0]),
        ({"top_k": 9}, [0.08, 0.2, 0.7, 0.02]),  # more than there are
        ({"min_p": 0.25}, [0, 2 / 9, 7 / 9, 0]),  # at least 0.175
        ({"min_p": 0.99}, [0, 0, 1, 0]),
        ({"top_k": 3, "top_p": 0.73}, [0, 2 / 9, 7 / 9, 0]),  # of 0.98: 0.7 is 0.714 of it, not enough
        ({"top_k": 2, "top_p": 0.73}, [0, 0, 1, 0]),  # of 0.9: 0.7 is 0.778 of it
    ],
    ids=str,
)
def test_truncation_keeps_the_likeliest_and_renormalises(cut, expected):
    assert left([0.08, 0.2, 0.7, 0.02], **cut) == pytest.approx(expected, abs=1e-6)


def test_tokens_as_likely_as_the_last_that_top_k_keeps_stay():
    assert left([0.25, 0.25, 0.5], top_k=2) == pytest.approx([0.25, 0.25, 0.5])


def test_log_probabilities_are_those_of_what_is_left():
    logits = torch.log(torch.tensor([[0.1, 0.2, 0.7]])).repeat(3, 1)
    tokens, logprobs = draw(logits, torch.tensor([0.0, 0.2, 0.9999]), Sampling(1, top_p=0.75))
    assert tokens.tolist() == [1, 1, 2]  # {0.2, 0.7}: token 0 never, and 0.2 / 0.9 = 0.222 is the border
    torch.testing.assert_close(logprobs.exp(), torch.tensor([2 / 9, 2 / 9, 7 / 9]))


def test_an_architecture_native_does_not_know_is_an_error_that_names_the_way_out():
    from transformers import GPT2Config

    with pytest.raises(UnsupportedArchitecture, match="this model is 'gpt2'. Use rollout=hf"):
        NativeEngine(GPT2Config(), END, PAD, 8)


def test_the_script_ends_or_is_truncated():
    engine = ScriptedEngine(lambda prompt, index: [5, END] if index else [5] * 9, END)
    ((cut, ended),) = engine.generate([[1]], [0], 2, Sampling(4))
    assert cut.truncated and len(cut.tokens) == 4 and not ended.truncated


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
def test_a_completion_ends_at_any_end_token(kind):
    ends, sampling = (1, 7, 30), Sampling(40)
    ours = NativeEngine(tiny.model(kind).config, ends, PAD, 64)
    ours.load(policy_weights(tiny.model(kind)))
    theirs = HfEngine(tiny.model(kind), ends, PAD, 64)
    groups = [engine.generate(PROMPTS, [1, 2, 3], 16, sampling) for engine in (ours, theirs)]
    rows, others = ([row for group in groups_of_engine for row in group] for groups_of_engine in groups)
    assert [row.tokens for row in rows] == [row.tokens for row in others]
    assert len({row.tokens[-1] for row in rows if not row.truncated}) > 1
    for row in rows:
        assert not set(row.content) & set(ends)
        assert row.truncated == (row.tokens[-1] not in ends)
        assert len(row.content) == (40 if row.truncated else len(row.tokens) - 1)


def test_a_script_from_a_file_is_drawn_by_the_stream_alone(tmp_path):
    tokenizer, path = tiny.tokenizer(tiny.DEEPSEEK), tmp_path / "script.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in "abcd"))
    spec = RolloutSpec(engine="scripted", script=str(path))
    assert spec.violations() == []
    engine = build_engine(spec, tiny.model(), tokenizer)
    together = engine.generate([[1], [2], [3]], [11, 12, 13], 20, sampling_of(spec))
    (alone,) = engine.generate([[9, 9]], [12], 20, sampling_of(spec))
    said = [[tokenizer.decode(row.content) for row in group] for group in together]
    assert said[1] == [tokenizer.decode(row.content) for row in alone] != said[0]
    assert {text for group in said for text in group} == set("abcd")
    assert not engine.probed and all(row.logprobs.tolist() == [0.0, 0.0] and not row.truncated for row in alone)


def test_a_line_that_is_too_long_is_cut():
    ((row,),) = FileEngine([[5, 6, 7, END]], END).generate([[1]], [0], 1, Sampling(2))
    assert row.tokens == row.content == [5, 6] and row.truncated


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"text": "a"}\n{"txt": "b"}\n', r"script.jsonl, line 2, field 'text': must be a string.*got None"),
        ('{"text": 5}\n', r"line 1, field 'text': must be a string, what is said; got 5"),
        ('{"text": "a", "more": 1}\n', r"line 1, field 'more'"),
        ('{"text": \n', r"line 1: not a JSON object"),
        ('"a"\n', r"line 1: a row must be a JSON object; got str"),
        ("\n", r"script.jsonl: must hold at least one line"),
    ],
)
def test_a_bad_script_is_named_by_file_line_and_field(tmp_path, text, message):
    path = tmp_path / "script.jsonl"
    path.write_text(text)
    with pytest.raises(BadData, match=message):
        read_script(path, lambda said: [1])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (RolloutSpec(engine="vlm"), "rollout.engine must be one of native, hf, vllm, scripted; got 'vlm'"),
        (RolloutSpec(top_k=-1), "rollout.top_k must be 1 or more, or 0 for off; got -1"),
        (RolloutSpec(min_p=1.0), r"rollout.min_p must be in \[0, 1\), 0 being off; got 1.0"),
        (RolloutSpec(sync="both"), "rollout.sync must be one of merged, adapter; got 'both'"),
        (RolloutSpec(sync="adapter"), "rollout.sync=adapter needs rollout.engine=vllm .* got 'native'. Use"),
        (RolloutSpec(engine="scripted"), "rollout.script must be a JSONL file .* got None. Give one"),
        (RolloutSpec(engine="scripted", script="/no"), "rollout.script must be a JSONL file .* got '/no'"),
        (RolloutSpec(probe_rows=-1), "rollout.probe_rows must be 1 or more, or 0 for off; got -1"),
        (RolloutSpec(mismatch_limit=0.0), "rollout.mismatch_limit must be above 0, or null .* got 0.0"),
        (RolloutSpec(timeout_s=0.0), "rollout.timeout_s must be above 0 seconds; got 0.0"),
        (RolloutSpec(vllm=VllmSpec(memory_share=1.0)), r"rollout.vllm.memory_share must be in \(0, 1\), .* got 1.0"),
        (RolloutSpec(vllm=VllmSpec(tensor_parallel=0)), "rollout.vllm.tensor_parallel must be at least 1; got 0"),
        (RolloutSpec(vllm=VllmSpec(url="http://x")), "rollout.vllm.shared_folder must be given with rollout.vllm.url"),
    ],
)
def test_a_setting_that_cannot_be_is_named(spec, message):
    (violation,) = spec.violations()
    assert re.search(message, violation), violation


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["rollout.top_p=0.9", "rollout.top_k=50"],
            r"whole distribution.*got rollout.top_p=0.9, rollout.top_k=50. Leave",
        ),
        (["rollout.min_p=0.1"], "correct for it with objective.loss.importance_cap=2"),
        (
            ["rollout=vllm", "rollout.sync=adapter"],
            "rollout.sync=adapter needs adapters: model.lora.rank above 0, got 0",
        ),
        (["rollout=vllm", "rollout.vllm.tensor_parallel=4"], "must be a multiple of .*tensor_parallel.* got 2 and 4"),
        (["rollout.top_p=0.9", "objective=tis"], None),
        (["rollout.top_p=0.9", "stages=[evaluate]"], None),
        (["rollout=vllm", "rollout.sync=adapter", "model.lora.rank=4"], None),
        (["rollout=vllm", "rollout.vllm.tensor_parallel=2"], None),
    ],
)
def test_what_sampling_asks_of_the_rest_of_a_run(compose, overrides, message):
    built = compose("+experiment=grpo", *overrides)
    if message is None:
        check(built)
    else:
        with pytest.raises(ConfigError, match=message):
            check(built)


def test_without_vllm_its_engine_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)  # as if it were not installed
    with pytest.raises(UserError, match=r"needs the package vllm.*make setup-gpu.*rollout=native"):
        build_engine(RolloutSpec(engine="vllm"), tiny.model(), tiny.tokenizer(tiny.DEEPSEEK))


def test_who_waits_too_long_says_for_what():
    said = []
    with limit(0.01, "the rollouts of step 3 from engine vllm", "look at it", 2, end=said.append):
        deadline = time.monotonic() + 10
        while not said and time.monotonic() < deadline:
            time.sleep(0.005)
    assert said == [
        "rank 2 has waited 0.01 s for the rollouts of step 3 from engine vllm; look at it. "
        "The same command goes on from the last checkpoint"
    ]


def test_who_is_in_time_hears_nothing():
    said = []
    with limit(0.05, "x", "y", end=said.append):
        pass
    time.sleep(0.1)
    assert said == []


def test_a_process_that_hangs_ends_with_its_message():
    code = (
        "import threading\nfrom src.common.timeout import limit\nwith limit(0.1, 'it', 'do'): threading.Event().wait()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3 and "error: rank 0 has waited 0.1 s for it; do." in done.stderr
    assert "most recent call first" in done.stderr  # and where it hangs
