"""Judge, embedder and translator behind a server that answers, dawdles, says nonsense, refuses or dies."""

import time

import pytest

from src.common.errors import UserError
from src.services.base import Pair, Passage
from src.services.cache import Cache
from src.services.embedder import RemoteEmbedder, cosine, mean
from src.services.http import Refused
from src.services.judge import RemoteJudge
from src.services.remote import GivenUp
from src.services.spec import EmbedderSpec, JudgeSpec, TranslatorSpec
from src.services.translator import RemoteTranslator
from tests.helpers.teacher import ScriptedTeacher, chat, vectors

KEY = "sk-0123456789"
FAST = {"model": "m", "backoff_seconds": 0.0, "retries": 2, "timeout_seconds": 2.0, "concurrency": 4, "by": "endpoint"}


@pytest.fixture(autouse=True)
def local(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("JUDGE_KEY", KEY)


def pairs(*names):
    return [Pair(f"Il y a {name}.", "There are 7.", "fr", "en") for name in names]


def judge(server, folder, writer="rank-0", **settings):
    return RemoteJudge(JudgeSpec(**(FAST | {"url": server.url} | settings)), Cache(folder, writer))


def scored(score):
    return lambda text, attempt: chat(f"I find most of it. <score>{score}</score>")


def test_the_judge_is_asked_once_for_what_it_has_said(tmp_path):
    with ScriptedTeacher(scored("0.75")) as server:
        asked = judge(server, tmp_path, key_variable="JUDGE_KEY", temperature=0.5, extra={"seed": 10})
        first = asked(pairs("un", "deux", "un"), 3)
        again = asked(pairs("deux", "trois"), 4)
        assert first.values == [0.75] * 3 and first.cached == 0
        assert again.values == [0.75] * 2 and again.cached == 1
        assert len(server.bodies) == 3 and set(server.keys) == {f"Bearer {KEY}"}
        body = server.bodies[0]
        assert (body["model"], body["temperature"], body["seed"]) == ("m", 0.5, 10)
        assert "French" in body["messages"][0]["content"] and "There are 7." in body["messages"][0]["content"]
        assert judge(server, tmp_path, temperature=0.9)(pairs("un"), 5).cached == 0  # another judge
        assert len(server.bodies) == 4
    assert KEY not in (tmp_path / "rank-0.jsonl").read_text()


@pytest.mark.parametrize(
    ("content", "score"),
    [
        ("<score>1</score>", 1.0),
        ("<score> 3/4 </score>", 0.75),
        ("<score>.5</score>", 0.5),
        ("<score>0.2</score> no: <score>0.4</score>", 0.4),
        *((text, None) for text in ("0.7", "<score>1.2</score>", "<score>5/4</score>", "<score>0/0</score>", "")),
        *((text, None) for text in ("<score>-0.5</score>", "<score>nan</score>", "<score>all</score>")),
    ],
)
def test_only_a_score_between_0_and_1_is_one_and_nothing_else_is_a_0(tmp_path, content, score):
    with ScriptedTeacher(lambda text, attempt: chat(content)) as server:
        answers = judge(server, tmp_path)(pairs("un"), 0)
        assert answers.values == [score]
        assert sum(server.seen.values()) == (1 if score is not None else 3)  # asked again before it is given up


FAULTS = {
    "a time-out": lambda: time.sleep(0.4) or chat("<score>1</score>"),
    "no JSON": lambda: (200, b"<html>busy</html>", {}),
    "no choice": lambda: (200, {"choices": []}, {}),
    "nonsense": lambda: chat("As a language model, I cannot."),
    "an error of the server": lambda: (500, {"error": "out of memory"}, {}),
    "too many requests": lambda: (429, {"error": "slow down"}, {"Retry-After": "0"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_passes_is_asked_again(tmp_path, fault):
    def script(text, attempt):
        return FAULTS[fault]() if attempt == 0 else chat("<score>0.5</score>")

    with ScriptedTeacher(script) as server:
        answers = judge(server, tmp_path, timeout_seconds=0.2)(pairs("un", "deux"), 0)
        assert answers.values == [0.5, 0.5] and sum(server.seen.values()) == 4


@pytest.mark.parametrize("fault", [*FAULTS, "a request that is refused"])
def test_what_lasts_is_unknown_for_this_text_alone_and_for_this_step(tmp_path, fault):
    fails = [True]

    def script(text, attempt):
        if fails[0] and "Il y a deux." in text:
            return FAULTS[fault]() if fault in FAULTS else (400, {"error": "inappropriate"}, {})
        return chat("<score>0.5</score>")

    with ScriptedTeacher(script) as server:
        asked = judge(server, tmp_path, timeout_seconds=0.2)
        assert asked(pairs("un", "deux", "trois"), 6).values == [0.5, None, 0.5]
        fails[0] = False  # and is so when the step is repeated, in this process or another
        seen = sum(server.seen.values())
        asked.cache.close()
        resumed = judge(server, tmp_path, "rank-1")
        assert resumed(pairs("un", "deux", "trois"), 6) == ([0.5, None, 0.5], 0)
        assert sum(server.seen.values()) == seen
        assert resumed(pairs("un", "deux", "trois"), 7) == ([0.5, 0.5, 0.5], 2)  # a later step asks anew
        assert resumed(pairs("un", "deux", "trois"), 6).values == [0.5, None, 0.5]


def test_a_server_that_dies_ends_the_run_and_what_it_said_before_is_kept(tmp_path):
    names = [f"n{number}" for number in range(40)]
    with ScriptedTeacher(scored("1")) as server:
        asked = judge(server, tmp_path, retries=0)
        asked(pairs(*names[:10]), 0)
    began = time.monotonic()
    with pytest.raises(GivenUp, match=r"services.judge.unanswered=0.1 must be at least .* 30 of 40 have none"):
        asked(pairs(*names), 1)
    assert time.monotonic() - began < 10  # it is not asked for every text
    with ScriptedTeacher(scored("0.5")) as server:  # the same command later: no failure was kept
        assert judge(server, tmp_path, "again")(pairs(*names), 1) == ([1.0] * 10 + [0.5] * 30, 10)


def test_some_failures_are_borne_and_counted_over_the_run(tmp_path):
    with ScriptedTeacher(lambda text, attempt: (500, {}, {})) as server:
        asked = judge(server, tmp_path, retries=0, concurrency=1)
        assert asked(pairs("un", "deux"), 0).values == [None, None]
        assert asked(pairs("un", "deux"), 1).values == [None, None]
        with pytest.raises(GivenUp, match="6 of 6 have none"):  # above a tenth of 50
            asked(pairs("un", "deux"), 2)


def test_a_key_that_is_refused_ends_the_run_at_once(tmp_path, monkeypatch):
    with ScriptedTeacher(lambda text, attempt: (401, {"error": f"bad key {KEY}"}, {})) as server:
        with pytest.raises(Refused, match="the judge at .* status 401: bad key <key>. Correct services.judge"):
            judge(server, tmp_path, key_variable="JUDGE_KEY")(pairs(*map(str, range(30))), 0)
        assert sum(server.seen.values()) <= 4
    monkeypatch.delenv("JUDGE_KEY")
    with pytest.raises(UserError, match="services.judge.key_variable must name an environment variable"):
        judge(server, tmp_path, key_variable="JUDGE_KEY")


def test_a_cache_is_read_whole_whatever_was_interrupted_or_damaged(tmp_path):
    cache = Cache(tmp_path, "rank-0")
    cache.add("a", 0.5, 3)
    cache.add("b", "Zwölf \ud800", 3)
    cache.add_failure("c", "no answer", 3)
    cache.close()
    path = tmp_path / "rank-0.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0].replace(b"0.5", b"0.9") + lines[1] + lines[2] + lines[1][:20])
    again = Cache(tmp_path, "rank-0")
    assert again.answer("a") is None and again.answer("b") == ("Zwölf ?", 3)
    assert again.failed("c", 3) and not again.failed("c", 4)
    again.add("a", 0.25, 9)
    again.close()
    assert Cache(tmp_path, "rank-1").answer("a") == (0.25, 9)


def embedder(server, folder, **settings):
    return RemoteEmbedder(EmbedderSpec(**(FAST | {"url": server.url} | settings)), Cache(folder, "rank-0"))


def lengths(text, attempt):
    """A vector of each text: one direction for short ones, one between for others."""
    return vectors(*([1.0, 0.0] if len(line) < 13 else [3.0, 4.0] for line in text.split("\n")))


def test_an_embedder_gives_the_cosine_and_embeds_a_reference_once(tmp_path):
    with ScriptedTeacher(lengths) as server:
        asked = embedder(server, tmp_path, batch=2, concurrency=1)
        assert asked(pairs("un", "douze", "six"), 0).values == [1.0, pytest.approx(0.6), 1.0]
        sent = [line for body in server.bodies for line in body["input"]]
        assert sent.count("There are 7.") == 1 and len(sent) == 4
        assert max(len(body["input"]) for body in server.bodies) <= 2
        assert asked(pairs("douze", "dix"), 1) == ([pytest.approx(0.6), 1.0], 1)


def test_a_long_text_is_the_mean_of_its_windows(tmp_path):
    assert mean([[2.0, 0.0], [0.0, 5.0]]) == pytest.approx([0.5**0.5, 0.5**0.5])
    assert mean([[1.0, 0.0], [-1.0, 0.0]]) == [0.0, 0.0] and cosine([0.0, 0.0], [1.0, 0.0]) == 0.0
    script = lambda text, attempt: vectors(*([1.0, 0.0] if "a" in line else [0.0, 1.0] for line in text.split("\n")))  # noqa: E731
    with ScriptedTeacher(script) as server:
        half = embedder(server, tmp_path, window=2)([Pair("aabb", "aa", "fr", "en")], 0)
        assert half.values == [pytest.approx(0.5**0.5)]


@pytest.mark.parametrize(
    "reply",
    [
        (200, {"data": []}, {}),
        vectors([1.0]),  # for two texts
        vectors([1.0, 2.0], [1.0]),
        vectors([0.0, 0.0], [1.0, 0.0]),
        (200, b'{"data": [{"index": 0, "embedding": [NaN]}, {"index": 1, "embedding": [1.0]}]}', {}),
        (200, {"data": [{"index": place, "embedding": ["far"]} for place in (0, 1)]}, {}),
    ],
)
def test_what_is_no_embedding_is_unknown(tmp_path, reply):
    with ScriptedTeacher(lambda text, attempt: reply) as server:
        assert embedder(server, tmp_path)(pairs("un"), 0).values == [None]
        assert sum(server.seen.values()) == 3


def test_of_texts_that_are_refused_together_the_one_to_blame_alone_is_unknown(tmp_path):
    script = lambda text, attempt: (413, {"error": "too long"}, {}) if "deux" in text else lengths(text, attempt)  # noqa: E731
    with ScriptedTeacher(script) as server:
        assert embedder(server, tmp_path)(pairs("un", "deux", "six"), 0).values == [1.0, None, 1.0]


def test_a_translation_is_what_stands_between_its_tags(tmp_path):
    replies = {
        "un": chat("Sure. <translation>\nThere is one.\n</translation>"),
        "deux": chat("There are two."),
        "trois": chat("<translation>There are th</translation>", finish="length"),
        "six": chat("<translation> </translation>"),
    }

    def script(text, attempt):
        return next(reply for name, reply in replies.items() if f"Il y a {name}." in text)

    passages = [Passage(f"Il y a {name}.", "fr", "en") for name in replies]
    with ScriptedTeacher(script) as server:
        spec = TranslatorSpec(**(FAST | {"url": server.url}))
        asked = RemoteTranslator(spec, Cache(tmp_path, "rank-0"))
        assert asked(passages, 0).values == ["There is one.", None, None, None]
        assert server.seen.total() == 1 + 3 * 3
