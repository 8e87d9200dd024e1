"""Trace generation against a real HTTP server: what is asked, what is kept, what is dropped and why, and what it costs."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from src.common.errors import ConfigError
from src.config.directory import directory_of
from src.data.records import Example, Question, read_records, write_records
from src.data.traces.answers import Answer, AnswerFile, requests_of
from src.data.traces.estimate import estimate
from src.data.traces.filters import completion_of
from src.data.traces.repetition import repeated_share
from src.pipeline.execute import execute
from src.services.spec import TeacherSpec
from src.stages.traces import answers_folder
from tests.helpers.configs import prepare
from tests.helpers.paths import ROOT
from tests.helpers.teacher import ScriptedTeacher, chat

FRENCH = "Nous ajoutons d'abord les deux nombres pour obtenir le total, puis nous vérifions soigneusement le résultat."
ENGLISH = "First we add the two numbers together to get the total, and then we carefully check the result again."
RIGHT = "La réponse est donc \\boxed{7}."
INSTRUCTION = "Raisonne étape par étape et écris ta réponse finale dans \\boxed{}."
KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def local(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TEACHER_KEY", KEY)


def ask_for(tmp_path, names, language="fr"):
    """A file of questions, one for each name, all with the answer 7."""
    path = tmp_path / "questions.jsonl"
    write_records(path, [Question(name, language, f"Combien font trois et quatre ? [{name}]", "7") for name in names])
    return path


def name_of(text):
    return re.search(r"\[(.+)\]", text)[1]


def by_name(script):
    """The script for `ScriptedTeacher`, from replies or functions of the attempt by the name in the question."""

    def reply(text, attempt):
        made = script(name_of(text)) if callable(script) else script[name_of(text)]
        return made(attempt) if callable(made) else made

    return reply


def good(_name=None):
    return chat(f"<think>\n{FRENCH}\n</think>\n\n{RIGHT}")


def arguments(root, questions, teacher, *more):
    return [
        "+experiment=traces",
        f"root={root}",
        "distributed.processes=1",
        f"traces.questions=[{questions}]",
        f"traces.teacher.url={teacher.url}",
        "traces.teacher.model=scripted",
        "traces.teacher.concurrency=4",
        "traces.teacher.backoff_seconds=0.01",
        "traces.teacher.retries=3",
        "traces.teacher.timeout_seconds=5",
        "traces.teacher.key_variable=TEACHER_KEY",
        "traces.validation_share=0",
        *more,
    ]


def make(tmp_path, questions, teacher, *more):
    """Run the stage in this process; (configuration, its folder)."""
    built, directory = prepare(tmp_path, *arguments(tmp_path / "runs", questions, teacher, *more))
    execute(built, directory, directory / "config.yaml")
    return built, directory / "traces"


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def reasons(folder):
    return {row["problem"]: row["reason"] for row in rows(folder / "dropped.jsonl")}


def test_every_answer_becomes_an_example_or_is_dropped_for_a_reason(tmp_path):
    script = {
        "tags": good(),
        "opened": chat(f"{FRENCH}</think>{RIGHT}"),  # the prompt had opened the trace
        "field": chat(f"\n\n{RIGHT}", reasoning=f"{FRENCH}\n"),
        "truncated": chat(f"<think>{FRENCH}", finish="length"),
        "no_trace": chat(RIGHT),
        "no_answer": chat(f"<think>{FRENCH}</think>"),
        "malformed": chat(f"<think>{FRENCH}</think>encore</think>{RIGHT}"),
        "no_box": chat(f"<think>{FRENCH}</think>La réponse est 7."),
        "wrong": chat(f"<think>{FRENCH}</think>\\boxed{{8}}"),
        "language": chat(f"<think>{ENGLISH}</think>{RIGHT}"),
        "answer_language": chat(f"<think>{FRENCH}</think>{ENGLISH} \\boxed{{7}}"),
        "foreign_script": chat(
            f"<think>{FRENCH} 我们首先把两个数相加得到总数然后仔细检查结果是否正确无误。</think>{RIGHT}"
        ),
        "too_long": chat(f"<think>{FRENCH}</think>{RIGHT}", tokens=(10, 900)),
        "repetition": chat(f"<think>{FRENCH * 9}</think>{RIGHT}"),
    }
    with ScriptedTeacher(by_name(script)) as teacher:
        _, folder = make(
            tmp_path,
            ask_for(tmp_path, script),
            teacher,
            "traces.filter.maximum_tokens=800",
            "traces.filter.minimum_language=0",
        )
    assert reasons(folder) == {name: name for name in list(script)[3:]}
    completion = f"{FRENCH}\n</think>\n\n{RIGHT}"
    kept = read_records(folder / "sft.jsonl", Example)
    assert [(row.problem, row.completion) for row in kept] == [
        (name, completion) for name in ("tags", "opened", "field")
    ]
    assert (
        kept[0].question == "Combien font trois et quatre ? [tags]"
    )  # without the instruction: data.instruction adds it
    card = (folder / "card.md").read_text()
    for part in (
        "scripted-1",
        "| fr | 14 | 3 |",
        "no_box: no complete box",
        "traces.teacher.temperature | `0.6`",
        "sft.jsonl | 3 |",
    ):
        assert part in card
    assert "fr           14         3" in (folder / "table.txt").read_text()


def test_questions_are_asked_in_their_language_with_the_settings(tmp_path):
    with ScriptedTeacher(by_name(good)) as teacher:
        make(
            tmp_path,
            ask_for(tmp_path, ["a"]),
            teacher,
            "traces.teacher.top_p=0.9",
            "+traces.teacher.extra={reasoning_effort:high,max_tokens:null,max_completion_tokens:99}",
        )
    assert teacher.bodies == [
        {
            "model": "scripted",
            "temperature": 0.6,
            "top_p": 0.9,
            "max_completion_tokens": 99,
            "reasoning_effort": "high",
            "messages": [{"role": "user", "content": f"{INSTRUCTION}\n\nCombien font trois et quatre ? [a]"}],
        }
    ]
    assert teacher.keys == [f"Bearer {KEY}"]


def test_passing_errors_are_asked_again(tmp_path):
    trouble = {
        "busy": (429, {"error": {"message": "slow down"}}, {"Retry-After": "0.3"}),
        "broken": (500, b"oh", {}),
        "json": (200, b'{"choices": [', {}),
        "empty": (200, {"choices": []}, {}),
    }

    def script(name):
        return lambda attempt: trouble[name] if attempt == 0 else good()

    with ScriptedTeacher(by_name(script)) as teacher:
        _, folder = make(tmp_path, ask_for(tmp_path, trouble), teacher)
    assert len(rows(folder / "sft.jsonl")) == 4
    assert set(teacher.seen.values()) == {2}
    first, second = [when for text, when in teacher.times if name_of(text) == "busy"]
    assert second - first >= 0.3


def test_no_more_requests_at_once_than_allowed(tmp_path):
    def script(name):
        time.sleep(0.1)
        return good()

    with ScriptedTeacher(by_name(script)) as teacher:
        make(tmp_path, ask_for(tmp_path, "abcdefghijkl"), teacher, "traces.teacher.concurrency=3")
    assert teacher.peak == 3 and sum(teacher.seen.values()) == 12


def test_a_server_that_hangs_is_asked_again(tmp_path):
    def script(name):
        def reply(attempt):
            time.sleep(1.0 if attempt == 0 else 0)
            return good()

        return reply

    with ScriptedTeacher(by_name(script)) as teacher:
        _, folder = make(tmp_path, ask_for(tmp_path, ["a"]), teacher, "traces.teacher.timeout_seconds=0.4")
    assert list(teacher.seen.values()) == [2]
    assert len(rows(folder / "sft.jsonl")) == 1


def test_a_refusal_ends_the_run_with_the_servers_message_and_never_the_key(tmp_path, capfd):
    refusal = (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}, {})
    said = "status 401: Incorrect API key provided: <key>"
    with ScriptedTeacher(lambda *_: refusal) as teacher, pytest.raises(Exception, match=said) as caught:
        make(tmp_path, ask_for(tmp_path, "abcdefgh"), teacher)
    assert set(teacher.seen.values()) == {1} and len(teacher.seen) <= 4  # those in flight, and no other
    assert KEY not in str(caught.value)
    with ScriptedTeacher(by_name(good)) as teacher:
        make(tmp_path, ask_for(tmp_path, "abcdefgh"), teacher)  # the url is no part of what the result depends on
    printed = "".join(capfd.readouterr())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 8
    assert KEY not in printed and not [path for path in files if KEY.encode() in path.read_bytes()]


def test_an_exhausted_account_is_a_refusal(tmp_path):
    reply = (429, {"error": {"message": "no money", "code": "insufficient_quota"}}, {})
    with ScriptedTeacher(lambda text, attempt: reply) as teacher, pytest.raises(Exception, match="no money"):
        make(tmp_path, ask_for(tmp_path, "a"), teacher)
    assert list(teacher.seen.values()) == [1]


def test_requests_without_an_answer_stop_the_run_unless_some_may_lack_one(tmp_path):
    def script(name):
        return (503, b"down", {}) if name == "c" else good()

    with ScriptedTeacher(by_name(script)) as teacher:
        with pytest.raises(
            Exception, match=r"1 of 3 requests have no answer, such as problem c \(fr\): status 503: down"
        ):
            make(tmp_path, ask_for(tmp_path, "abc"), teacher, "traces.teacher.retries=1")
        assert {name_of(text): count for text, count in teacher.seen.items()} == {"a": 1, "b": 1, "c": 2}
        more = ("traces.teacher.retries=0", "traces.teacher.unanswered=0.4")
        (tmp_path / "other").mkdir()
        built, directory = prepare(
            tmp_path / "other", *arguments(tmp_path / "runs", ask_for(tmp_path, "abc"), teacher, *more)
        )
        execute(built, directory, directory / "config.yaml")
    assert reasons(directory / "traces") == {"c": "unanswered"}
    assert {name_of(text): count for text, count in teacher.seen.items()} == {"a": 1, "b": 1, "c": 3}


def test_a_missing_key_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("TEACHER_KEY")
    with ScriptedTeacher(by_name(good)) as teacher, pytest.raises(Exception, match="TEACHER_KEY is not set"):
        make(tmp_path, ask_for(tmp_path, "a"), teacher)
    assert not teacher.seen


def test_the_estimate_by_hand():
    # 90 bytes -> 31 tokens; 2 requests; prices 1 and 10 for a million.
    spec = TeacherSpec(model="m", maximum_tokens=1000, concurrency=2, price_in=1.0, price_out=10.0)
    left = requests_of([Question("p", "en", "x" * 90, "1")], 2, "none")
    estimated = estimate(spec, left, [], [])
    assert (estimated.left, estimated.tokens_in, estimated.tokens_out, estimated.measured) == (2, 62, 2000, False)
    assert estimated.cost == pytest.approx((62 * 1 + 2000 * 10) / 1e6)
    assert estimated.hours == pytest.approx(2000 / 30 / 2 / 3600)


def test_an_estimate_above_the_budget_stops_before_the_first_request(tmp_path):
    # 3 requests of at most 1000 tokens at 100 for a million: 0.30, and the questions free.
    prices = ("traces.teacher.price_out=100", "traces.teacher.maximum_tokens=1000")
    with ScriptedTeacher(by_name(good)) as teacher:
        with pytest.raises(Exception, match=r"budget must be at least the estimate, 0\.30; got 0\.29"):
            make(tmp_path, ask_for(tmp_path, "abc"), teacher, *prices, "traces.teacher.budget=0.29")
        assert not teacher.seen
        _, folder = make(tmp_path, ask_for(tmp_path, "abc"), teacher, *prices, "traces.teacher.budget=0.31")
    assert "cost 0.01 at 0 and 100" in (folder / "card.md").read_text()  # 3 x 20 tokens: 0.006


def test_the_budget_holds_while_running_and_answers_that_came_are_kept(tmp_path):
    # 20 answers of 10 tokens are known, so the estimate is low; the others come with 1000 tokens each, 0.1 apiece.
    def script(name):
        return chat(f"<think>{FRENCH}</think>{RIGHT}", tokens=(0, 10 if name.startswith("cheap") else 1000))

    prices = ("traces.teacher.price_out=100", "traces.teacher.maximum_tokens=1000")
    first = ask_for(tmp_path, [f"cheap{n}" for n in range(20)])
    with ScriptedTeacher(by_name(script)) as teacher:
        built, _ = make(tmp_path, first, teacher, *prices, "traces.teacher.budget=3")
        (tmp_path / "dear").mkdir()
        second = ask_for(tmp_path / "dear", [f"dear{n}" for n in range(20)])
        more = arguments(tmp_path / "runs", second, teacher, *prices, "traces.teacher.budget=0.55")
        dear, directory = prepare(tmp_path / "dear", *more)
        with pytest.raises(Exception, match=r"which may cost 0\.1000; 0\.5000 of 0\.55 are spent"):
            execute(dear, directory, directory / "config.yaml")
        asked = {name_of(text) for text in teacher.seen if "dear" in text}
    kept = rows(answers_folder(built) / "answers.jsonl")
    assert len(asked) == 5 and {row["problem"] for row in kept if "dear" in row["problem"]} == asked


def test_another_filter_and_more_samples_ask_only_for_what_is_not_there(tmp_path):
    with ScriptedTeacher(by_name(good)) as teacher:
        questions = ask_for(tmp_path, "ab")
        make(tmp_path, questions, teacher)
        (tmp_path / "more").mkdir()
        more = ("traces.filter.maximum_characters=10000", "traces.teacher.samples=2")
        built, directory = prepare(tmp_path / "more", *arguments(tmp_path / "runs", questions, teacher, *more))
        execute(built, directory, directory / "config.yaml")
    assert set(teacher.seen.values()) == {2}
    assert Counter(row["reason"] for row in rows(directory / "traces" / "dropped.jsonl")) == {"duplicate": 2}
    other, _ = prepare(
        tmp_path, *arguments(tmp_path / "runs", questions, teacher, "traces.filter.maximum_characters=9")
    )
    with pytest.raises(ConfigError, match=r"traces\.filter\.maximum_characters: there None, here 9"):
        execute(other, tmp_path / "run", tmp_path / "run" / "config.yaml")


def test_the_best_of_several_samples(tmp_path):
    def script(name):
        return lambda attempt: chat(
            f"<think>{FRENCH} {'Voilà. ' * attempt}</think>\\boxed{{{8 if attempt == 0 else 7}}}"
        )

    with ScriptedTeacher(by_name(script)) as teacher:
        more = ("traces.teacher.samples=3", "traces.filter.per_question=1", "traces.teacher.concurrency=1")
        _, folder = make(tmp_path, ask_for(tmp_path, "ab"), teacher, *more)
    assert [row["completion"].count("Voilà") for row in rows(folder / "sft.jsonl")] == [1, 1]
    assert Counter(row["reason"] for row in rows(folder / "dropped.jsonl")) == {"wrong": 2, "surplus": 2}


def test_translations_are_on_one_side_of_the_split(tmp_path):
    german = "Zuerst addieren wir die beiden Zahlen, um die Summe zu erhalten, und danach prüfen wir das Ergebnis sorgfältig."
    path = tmp_path / "questions.jsonl"
    write_records(
        path,
        [
            Question(f"{n}", code, f"{'Combien' if code == 'fr' else 'Wie viel'} ? [{code}{n}]", "7")
            for n in range(10)
            for code in ("fr", "de")
        ],
    )

    def script(name):
        text = FRENCH if name.startswith("fr") else german
        return chat(f"<think>{text}</think>\\boxed{{7}}")

    with ScriptedTeacher(by_name(script)) as teacher:
        _, folder = make(tmp_path, path, teacher, "traces.validation_share=0.3")
    sides = [{row["problem"] for row in rows(folder / name)} for name in ("sft.jsonl", "validation.jsonl")]
    assert len(sides[0]) == 7 and len(sides[1]) == 3 and not sides[0] & sides[1]
    assert len(rows(folder / "validation.jsonl")) == 6


def test_nothing_left_is_an_error_with_the_counts(tmp_path):
    counts = r"no answer became an example(.|\n)*no_trace"
    with ScriptedTeacher(lambda *_: chat("7")) as teacher, pytest.raises(Exception, match=counts):
        make(tmp_path, ask_for(tmp_path, "a"), teacher)


def test_killed_in_the_middle_it_goes_on_without_asking_twice(tmp_path):
    names = [f"n{n}" for n in range(40)]
    questions = ask_for(tmp_path, names)

    def slow(text, attempt):
        time.sleep(0.1)
        return chat(f"<think>{FRENCH}</think>La réponse de {name_of(text)} est \\boxed{{7}}.")

    with ScriptedTeacher(slow) as teacher:
        command = [sys.executable, "-m", "src.run", *arguments(tmp_path / "runs", questions, teacher)]
        process = subprocess.Popen(
            command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.time() + 120
        while sum(teacher.answered.values()) < 12 and time.time() < deadline and process.poll() is None:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        (answers,) = tmp_path.rglob("answers.jsonl")
        before = {row["problem"] for row in map(json.loads, answers.read_text().split("\n")[:-1])}
        assert 8 <= len(before) < 40
        with answers.open("ab") as handle:
            handle.write(b'{"problem": "n39", "langua')  # as an interruption in the middle of a line leaves it
        again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        asked = Counter({name_of(text): count for text, count in teacher.seen.items()})
        assert set(asked) == set(names)
        assert {asked[name] for name in before} == {1}
        assert sum(asked.values()) <= 40 + 4  # those in flight when it was killed
        assert "answers.jsonl" not in again.stderr and "examples:" in again.stdout
        (sft,) = tmp_path.rglob("sft.jsonl")
        make(tmp_path, questions, teacher)  # another folder, the same answers
        assert sum(asked.values()) == sum(teacher.seen.values())
    (tmp_path / "straight").mkdir()
    with ScriptedTeacher(slow) as teacher:
        _, straight = make(tmp_path / "straight", questions, teacher, "traces.teacher.concurrency=16")
    assert sft.read_bytes() == (straight / "sft.jsonl").read_bytes()
    assert len(rows(sft)) == 40


@pytest.mark.parametrize(("tail", "kept"), [(b'{"pro', 1), (b"", 1), (b"\xe3\x81", 1)])
def test_a_half_written_last_line_is_cut(tmp_path, tail, kept):
    path = tmp_path / "answers.jsonl"
    line = json.dumps(
        {
            "problem": "p",
            "language": "fr",
            "sample": 0,
            "asked": "h",
            "model": "m",
            "reasoning": "",
            "content": "c",
            "finish": "stop",
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "counted": True,
            "seconds": 1.0,
            "time": "t",
        }
    ).encode()
    path.write_bytes(line + b"\n" + tail)
    file = AnswerFile(path)
    file.close()
    assert list(file.known) == [("p", "fr", 0, "h")] and path.read_bytes() == line + b"\n"
    path.write_bytes(line)  # whole, only its end is missing
    file = AnswerFile(path)
    file.close()
    assert len(file.known) == kept and path.read_bytes() == line + b"\n"


def test_an_answer_file_changed_by_hand_is_named(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"problem": "p"}\n')
    with pytest.raises(Exception, match=r"answers\.jsonl, line 1, field 'language': missing"):
        AnswerFile(path)


def test_an_answer_with_a_flipped_bit_is_not_there_and_the_others_are(tmp_path, capsys):
    path = tmp_path / "answers.jsonl"
    made = [
        Answer(str(n), "fr", 0, "h", "m", "", f"content {n} \ud800", "stop", 1, 2, True, 1.0, "t") for n in range(3)
    ]
    file = AnswerFile(path)
    for answer in made:
        file.add(answer)
    file.close()
    path.write_bytes(path.read_bytes().replace(b"content 1", b"content 9"))
    file = AnswerFile(path)
    file.close()
    assert [key[0] for key in file.known] == ["0", "2"]
    assert "answers.jsonl, line 2 is damaged" in capsys.readouterr().err
    file = AnswerFile(path)
    file.add(made[1])
    file.close()
    assert [key[0] for key in AnswerFile(path).known] == ["0", "2", "1"]


def test_reasoning_in_both_places_is_taken_once():
    file = {
        "problem": "p",
        "language": "fr",
        "sample": 0,
        "asked": "h",
        "model": "m",
        "finish": "stop",
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "counted": True,
        "seconds": 1.0,
        "time": "t",
    }
    from src.data.traces.answers import Answer

    both = Answer(**file, reasoning="trace", content="<think>trace</think>\n\nanswer")
    assert completion_of(both) == ("trace\n</think>\n\nanswer", "")


@pytest.mark.parametrize(
    ("text", "code", "share"),
    [
        ("a b c d e f", "en", 0.0),
        ("a b c a b c", "en", 0.25),  # runs of three: abc bca cab abc
        ("a b", "en", 0.0),
        ("กขคงจฉชซฌ" * 2, "th", 0.1),  # 18 letters: 10 runs of nine, of which the last is the first
    ],
)
def test_repeated_share_by_hand(text, code, share):
    assert repeated_share(text, code, 3) == pytest.approx(share)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "traces.questions must name at least one set"),
        ([], "traces.teacher.model must be the name"),
        (["traces.teacher.url=http://me:secret@host/v1"], "must hold no password"),
        (["traces.teacher.url=host:8000"], "traces.teacher.url must be http"),
        (
            ["traces.teacher.samples=0", "traces.filter.maximum_repetition=2"],
            "traces.filter.maximum_repetition is a share",
        ),
        (["+traces.teacher.extra.messages=[]"], "must leave messages alone"),
        (["stages=[traces,sft]"], "stages must end with traces or prompts"),
    ],
)
def test_settings_that_cannot_work_are_named(tmp_path, overrides, message):
    with pytest.raises(ConfigError) as caught:
        prepare(tmp_path, "+experiment=traces", *overrides)
    assert message in str(caught.value) and "secret" not in str(caught.value)


def test_settings_that_only_say_how_to_get_answers_give_no_other_folder():
    one = directory_of(["+experiment=traces", "traces.teacher.budget=5", "traces.teacher.url=http://a"])
    assert one == Path("runs/laptop/traces/seed0")
    assert directory_of(["+experiment=traces", "traces.teacher.samples=2"]) != one


def test_the_result_is_data_for_sft(tmp_path, overrides):
    with ScriptedTeacher(by_name(good)) as teacher:
        _, folder = make(tmp_path, ask_for(tmp_path, "abcdefghij"), teacher, "traces.validation_share=0.2")
    assert [len(rows(folder / name)) for name in ("sft.jsonl", "validation.jsonl")] == [8, 2]
    (tmp_path / "sft").mkdir()
    files = (f"data.sft={folder / 'sft.jsonl'}", f"data.validation={folder / 'validation.jsonl'}")
    built, directory = prepare(tmp_path / "sft", "+experiment=sft", "stages=[sft]", *overrides, *files)
    execute(built, directory, directory / "config.yaml")
    assert list((tmp_path / "runs").rglob("model/model.safetensors"))
