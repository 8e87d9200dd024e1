"""The file of the page: its policy, its scripts, and what it holds. What it does is tested in test_rollout_browser.py."""

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser

import pytest

from src.language.table import LANGUAGES
from src.reporting.pages import TEMPLATES
from src.reporting.rollout_page import FOLDER, NEEDED, SCRIPTS, STYLE, Rows, write_page
from src.reporting.rollout_text import Reading
from src.store.matching import SEARCHED
from tests.helpers.rollouts import JUDGED, WORTH

ROW = dict.fromkeys(NEEDED) | JUDGED | WORTH | {"step": 1, "group": 0}
HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)>\u202e"


class Reader(HTMLParser):
    """Scripts as (attributes, text), the policy, and the names of all elements."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.tags, self.policy, self.styles = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attributes = dict(attrs)
        if tag == "script":
            self.scripts.append((attributes, ""))
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]

    def handle_data(self, data):
        if self.tags[-1:] == ["script"] and data.strip():
            self.scripts[-1] = (self.scripts[-1][0], data)
        if self.tags[-1:] == ["style"] and data.strip():
            self.styles.append(data)


def page_of(path, rows=(ROW,), run="grpo/seed0", title="Rollouts", parts=(), **kinds):
    counts = write_page(path, title, [Rows(run, rows, Reading(**kinds))], parts)
    return Reader(path.read_text(encoding="utf-8")), counts


def content_of(reader):
    [pack] = [text for attributes, text in reader.scripts if attributes.get("id") == "content"]
    return json.loads(zlib.decompress(base64.b64decode(pack)))


def test_nothing_but_the_scripts_and_the_style_of_the_page_is_allowed(tmp_path):
    reader, _ = page_of(tmp_path / "page.html")
    run = [text for attributes, text in reader.scripts if not attributes]
    assert len(run) == len(SCRIPTS)
    sources = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (*run, *reader.styles)
    }
    rules = dict(rule.strip().split(" ", 1) for rule in reader.policy.split(";"))
    assert set(rules["script-src"].split()) | set(rules["style-src"].split()) == sources
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in reader.policy


@pytest.mark.parametrize("name", [*SCRIPTS, STYLE])
def test_templates_write_no_markup_and_load_nothing(name):
    text = (TEMPLATES / FOLDER / name).read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|</|<!--|https?:|url\(|import ",
        text,
    )
    assert len(text.splitlines()) < 250


@pytest.mark.parametrize(
    "change",
    [
        *(
            {name: HOSTILE}
            for name in (*SEARCHED, "language", "detected", "problem", "status", "rule", "split", "part")
        ),
        {"switches": [f"3 fr>{HOSTILE}", HOSTILE]},
        {"answer_detected": HOSTILE},
    ],
)
def test_texts_of_a_run_add_no_markup(tmp_path, change):
    plain, _ = page_of(tmp_path / "plain.html")
    reader, _ = page_of(tmp_path / "page.html", [ROW | change])
    assert reader.tags == plain.tags
    assert HOSTILE not in (tmp_path / "page.html").read_text()


def test_names_of_runs_and_parts_add_no_markup(tmp_path):
    plain, _ = page_of(tmp_path / "plain.html")
    reader, _ = page_of(tmp_path / "page.html", [ROW], f"{HOSTILE}\udcff", HOSTILE, [HOSTILE])
    assert reader.tags == plain.tags


def test_the_page_holds_rows_of_all_runs(tmp_path):
    rows = [ROW, ROW | {"group": 1}, ROW | {"step": 2}, ROW | {"question": "autre"}]
    records = [
        {name: value for name, value in ROW.items() if name not in (*WORTH, "step", "group")} | {"split": "test"}
    ]
    sources = [
        Rows("a", rows, Reading(multiplies=True)),
        Rows("a", records, Reading(multiplies=True), evaluation=True),
        Rows("b", [ROW | {"reward_accuracy": 0.5}], Reading()),
    ]
    counts = write_page(tmp_path / "new" / "page.html", "t", sources, ["accuracy"])
    assert (counts.rollouts, counts.records) == (5, 1)
    assert counts.size == (tmp_path / "new" / "page.html").stat().st_size
    content = content_of(Reader((tmp_path / "new" / "page.html").read_text()))
    assert content["runs"] == [{"name": "a", "multiplies": True}, {"name": "b", "multiplies": False}]
    assert [language["code"] for language in content["languages"]] == list(LANGUAGES)
    assert [language["code"] for language in content["languages"] if language["rtl"]] == ["ar"]
    column = {name: values_of(content["columns"][name]) for name in ("run", "kind", "prompt", "set", "reward_accuracy")}
    assert column["run"] == [0, 0, 0, 0, 0, 1]
    assert column["kind"] == ["training"] * 4 + ["evaluation", "training"]
    assert column["prompt"] == [
        0,
        0,
        0,
        1,
        0,
        0,
    ]  # the same question at another step, in the evaluation, and of another run
    assert column["set"] == [0, 1, 2, 3, 4, 5]
    assert column["reward_accuracy"] == [None] * 5 + [0.5]


def values_of(column):
    return column["list"] if "list" in column else [column["values"][code] for code in column["codes"]]


def test_completions_of_one_prompt_are_a_set(tmp_path):
    sampled = [ROW | {"step": None, "group": None, "split": "test", "sample": sample} for sample in (0, 1)]
    rows = [ROW, ROW, ROW | {"language": "de"}, *sampled]
    content = content_of(page_of(tmp_path / "page.html", rows)[0])
    assert values_of(content["columns"]["set"]) == [0, 0, 1, 2, 2]


def test_questions_that_are_not_saved_are_told_apart_by_their_problem(tmp_path):
    rows = [ROW | {"question": "", "problem": problem} for problem in ("1", "2", "1")]
    content = content_of(page_of(tmp_path / "page.html", rows)[0])
    assert values_of(content["columns"]["prompt"]) == [0, 1, 0]


def test_a_page_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")

    def rows():
        yield ROW
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        page_of(path, rows())
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("page.html", "old")]
