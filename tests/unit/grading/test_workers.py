"""Workers: hostile answers cost one time limit each, and neither an exception nor a wrong neighbour."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from src.grading import pool
from src.grading.grader import Grade, Grader, GraderSpec, Status


def box(answer):
    return f"</think>\\boxed{{{answer}}}"


def test_an_answer_that_recurs_in_a_batch_is_compared_once():
    with Grader(GraderSpec(timeout=1.0)) as grader:
        began = time.perf_counter()
        grades = grader.grade([box("9^{9^{9^7}}")] * 20, ["5"] * 20)
        assert {grade.status for grade in grades} == {Status.TIMEOUT} and time.perf_counter() - began < 8


def test_the_order_of_grades_is_that_of_completions():
    with Grader(GraderSpec(workers=2)) as grader:
        completions = [box("\\frac{1}{2}"), box("7"), "", box("\\frac{2}{3}"), box("\\frac{1}{2}")]
        statuses = [grade.status for grade in grader.grade(completions, ["0.5", "7", "7", "0.5", "0.5"])]
    assert statuses == [Status.RIGHT, Status.RIGHT, Status.UNPARSED, Status.WRONG, Status.RIGHT]


def test_an_answer_that_asks_for_gigabytes_is_not_right_and_the_next_is_graded():
    with Grader(GraderSpec(memory_megabytes=512, timeout=20)) as grader:
        statuses = [g.status for g in grader.grade([box("2^{2^{33}}"), box("\\frac{1}{4}")], ["5", "0.25"])]
    assert statuses[0] in (Status.WRONG, Status.ERROR) and statuses[1] is Status.RIGHT


def test_a_worker_that_died_idle_is_replaced_and_blames_no_answer():
    with Grader(GraderSpec()) as grader:
        grader.grade([box("x")], ["x"])
        grader.pool.workers[0].process.kill()
        grader.pool.workers[0].process.wait()
        statuses = [g.status for g in grader.grade([box("\\frac{1}{3}"), box("x+1")], ["\\frac{1}{3}", "1+x"])]
    assert statuses == [Status.RIGHT, Status.RIGHT]


def test_text_is_never_run(tmp_path):
    mark = tmp_path / "mark"
    with Grader(GraderSpec()) as grader:
        grader.grade([box(f"__import__('pathlib').Path('{mark}').touch()")], ["5"])
    assert not mark.exists()


def test_what_was_interrupted_leaves_no_task_behind(monkeypatch):
    with Grader(GraderSpec()) as grader:

        def interrupt(self, results, waiting):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(pool.Pool, "_collect", interrupt)
            with pytest.raises(KeyboardInterrupt):
                grader.grade([box("x+y")], ["y"])
        assert not grader.pool.workers
        assert grader.grade([box("x+2")], ["2+x"]) == [Grade(Status.RIGHT, "x+2", "box")]


def test_a_worker_that_is_suspended_past_its_time_goes_on():
    with Grader(GraderSpec(timeout=0.7)) as grader:
        grader.grade([box("x")], ["x"])
        process = grader.pool.workers[0].process
        process.send_signal(signal.SIGSTOP)
        threading.Timer(1.5, process.send_signal, (signal.SIGCONT,)).start()
        assert grader.grade([box("\\sqrt{8}")], ["2\\sqrt{2}"])[0].status is Status.RIGHT


def test_a_worker_without_parent_ends_by_itself(monkeypatch):
    code = "import src.grading.worker as w; w.ORPHANED = 0; w.main(2048, 1)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=pool.ROOT
    )
    try:
        assert process.stdout.readline() == b'"ready"\n'
        process.stdin.write(b'["5", "9^{9^{9^9}}", "en", "expression"]\n')
        process.stdin.flush()
        assert process.wait(timeout=20) != 0
    finally:
        process.kill()
        process.communicate()


def test_without_memory_for_its_libraries_the_worker_says_what_to_raise():
    with Grader(GraderSpec(memory_megabytes=16)) as grader, pytest.raises(RuntimeError, match="memory_megabytes"):
        grader.grade([box("x")], ["x"])


def test_grading_works_from_many_threads_at_once():
    from concurrent.futures import ThreadPoolExecutor

    with Grader(GraderSpec(workers=2)) as grader, ThreadPoolExecutor(4) as threads:
        graded = threads.map(lambda n: grader.grade([box(f"\\sqrt{{{n * n}}}")], [str(n)])[0].status, range(1, 13))
        assert set(graded) == {Status.RIGHT}


def test_plain_answers_do_not_wait_for_hostile_ones():
    from concurrent.futures import ThreadPoolExecutor

    with Grader(GraderSpec(timeout=4)) as grader, ThreadPoolExecutor(2) as threads:
        slow = threads.submit(grader.grade, [box("9^{9^{9^6}}")], ["5"])
        time.sleep(0.2)
        began = time.perf_counter()
        assert grader.grade([box("7")], ["7"])[0].status is Status.RIGHT
        assert time.perf_counter() - began < 1 and slow.result()[0].status is Status.TIMEOUT


def test_a_worker_that_has_grown_is_replaced_and_blames_no_neighbour():
    with Grader(GraderSpec(memory_megabytes=512, timeout=30)) as grader:
        answers = [box(f"2^{{2^{{24}}+{n}}}x") for n in range(12)] + [box("\\frac{(y+3)^2}{\\sqrt{4}}")]
        golds = ["5"] * 12 + ["\\frac{(y+3)^2}{2}"]
        assert grader.grade(answers, golds)[-1].status is Status.RIGHT
