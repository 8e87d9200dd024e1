"""The page of rollouts in Chromium: what is seen and pressed, and that hostile completions do nothing."""

import json
import unicodedata

import pytest

from src.reporting.rollout_page import NEEDED, Rows, write_page
from src.reporting.rollout_text import Reading
from tests.helpers.chromium import browser, needs_chromium
from tests.helpers.rollouts import JUDGED, WORTH

pytestmark = needs_chromium

ROW = dict.fromkeys(NEEDED) | JUDGED | WORTH
READY = "document.body?.dataset.ready === 'yes' && !list.waiting && !document.querySelector('.row[data-bare]')"
SHOWN = "document.querySelector('#detail .completion')"
WRONG = {"correct": False, "status": "wrong", "answer": "6"}
OUTSIDE = {"detected": "en", "in_language": False}


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.resize(1280, 900)
        yield opened


@pytest.fixture
def show(tab, tmp_path):
    """Write a page of sources, or of rows of one run, and open it."""

    def opened(sources, fragment="", parts=("accuracy",)):
        if isinstance(sources[0], dict):
            sources = [Rows("grpo/seed0", sources, Reading(multiplies=True))]
        path = tmp_path / "page.html"
        write_page(path, "Rollouts", sources, parts)
        tab.problems.clear()
        tab.open(path, fragment, READY)
        return tab

    yield opened
    assert tab.problems == []
    tab.resize(1280, 900)


def rows_of(count, **change):
    """Groups of four, in steps of two groups."""
    return [
        ROW
        | {"step": 1 + n // 8, "group": n // 4 % 2, "problem": f"p{n // 4}", "question": f"Combien font {n // 4} ?"}
        | change
        for n in range(count)
    ]


def text(tab, selector):
    """What is seen of the elements that a selector finds, one after another."""
    return tab.value(f"[...document.querySelectorAll({json.dumps(selector)})].map((element) => element.innerText)")


def state(tab):
    return tab.value("Object.fromEntries(new URLSearchParams(location.hash.slice(1)))")


def choose(tab, name, value):
    """Fill in a filter as a reader does."""
    tab.value(
        f"(() => {{ const field = document.getElementById('filters').elements[{json.dumps(name)}];"
        f" field.value = {json.dumps(value)}; field.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
    )
    wanted = f"new URLSearchParams(location.hash.slice(1)).get({json.dumps(name)}) ?? ''"
    tab.wait(f"({wanted}) === {json.dumps(value)} && {READY}")


MIXED = [
    *rows_of(4),
    *rows_of(2, **WRONG, **OUTSIDE, step=2),
    *rows_of(1, language="ja", detected=None, in_language=False, code_switched=True, step=3),
    *rows_of(1, status="unparsed", correct=False, truncated=True, completion="Rien d'ÉGAL", step=3),
]


LINKS = {
    "": 8,
    "step=2": 2,
    "language=ja": 1,
    "detected=en": 2,
    "detected=unknown": 1,
    "right=no": 3,
    "right=yes": 5,
    "inside=no": 3,
    "switched=yes": 1,
    "truncated=yes": 1,
    "status=unparsed": 1,
    "problem=p0": 8,
    "group=1": 0,
    "search=d%27%C3%A9gal": 1,
    "search=%3C/THINK%3E%5Cboxed": 7,
    "search=absent": 0,
    "right=no&inside=yes": 1,
    "step=no+such+step": 0,
}


def test_a_link_filters_and_searches(show):
    tab = show(MIXED)
    counts = {}
    for link in LINKS:
        tab.value(f"location.hash = {json.dumps(link)}")
        tab.wait(f"location.hash.slice(1) === {json.dumps(link)} && {READY}")
        counts[link] = tab.value("document.querySelectorAll('.row').length")
        assert text(tab, "#count")[0].startswith(f"{counts[link]} of 8")
    assert counts == LINKS


def test_filters_and_search_become_a_link(show):
    tab = show(MIXED)
    choose(tab, "right", "no")
    choose(tab, "search", "BOXED")
    assert state(tab) == {"right": "no", "search": "BOXED"}
    assert tab.value("document.querySelectorAll('.row').length") == 2
    tab.press("x")
    tab.wait("document.querySelectorAll('.row').length === 8")
    assert state(tab) == {}


def test_the_header_counts_what_is_shown(show):
    tab = show(MIXED, "step=2")
    assert text(tab, "#count") == ["2 of 8: 0.0 % right, 0.0 % in language, 0.0 % code-switched."]


def test_rows_are_put_in_order_and_those_without_a_number_are_last(show):
    rewards = [0.5, None, 2.0, float("nan"), -1.0]
    tab = show([ROW | {"step": 1, "group": 0, "reward": reward} for reward in rewards], "order=-reward")
    assert [line.split("  ")[0].split(" adv")[0] for line in text(tab, ".row .worth")] == [
        "reward 2",
        "reward 0.5",
        "reward -1",
        "adv +0.5",
        "reward nan",
    ]


def test_keys_move_and_change_the_view(show):
    tab = show(rows_of(16))
    tab.press("j")
    tab.press("ArrowDown")
    tab.wait(SHOWN)
    assert state(tab) == {"row": "grpo/seed0~1~0~1"}
    assert text(tab, "[aria-selected=true] .place") == ["step 1 · group 0"]
    tab.press("l")
    assert state(tab)["row"] == "grpo/seed0~1~0~2"
    tab.press("End")
    assert state(tab)["row"] == "grpo/seed0~2~1~3"
    tab.press("g")
    tab.wait("document.querySelectorAll('.card').length === 4")
    assert state(tab) == {"row": "grpo/seed0~2~1~3", "view": "group"}
    tab.press("k")
    tab.press("c")
    tab.wait("document.querySelectorAll('.card').length === 0")
    assert state(tab) == {"row": "grpo/seed0~2~1~2"}
    tab.press("Escape")
    assert state(tab) == {}
    tab.press("?")
    assert tab.value("document.getElementById('keys').open") is True


def test_keys_typed_into_the_search_are_text(show):
    tab = show(rows_of(8))
    tab.press("/")
    for key in "jgx":
        tab.press(key)
    tab.wait("location.hash === '#search=jgx'")
    assert tab.value("document.querySelectorAll('.row').length") == 0


def test_the_button_back_returns_to_the_view_before(show):
    tab = show(rows_of(8), "row=grpo/seed0~1~1~2")
    tab.wait(SHOWN)
    tab.press("g")
    tab.wait("document.querySelector('.card')")
    tab.value("history.back()")
    tab.wait("!document.querySelector('.card')")
    assert state(tab)["row"] == "grpo/seed0~1~1~2"


def test_a_link_to_a_row_that_is_not_there_says_so(show):
    tab = show(rows_of(4), "row=grpo/seed9~1~0~0&view=group")
    assert text(tab, "#detail") == ["The row of this link is not on this page."]


def test_the_completion_is_coloured_and_its_switches_are_marked(show):
    tab = show(
        [ROW | {"step": 1, "group": 0, "completion": "Un, deux. Three. </think>\\boxed{5}", "switches": ["10 fr>en"]}],
        "row=grpo/seed0~1~0~0",
    )
    tab.wait(SHOWN)
    assert text(tab, ".completion .badge") == ["fr", "fr → en"]
    stretches = tab.value(
        "[...document.querySelectorAll('.completion .known[lang]')].map((e) => [e.lang, e.textContent])"
    )
    assert stretches == [["fr", "Un, deux. "], ["en", "Three."]]
    colours = tab.value(
        "[...document.querySelectorAll('.completion .known[lang]')].map((e) => getComputedStyle(e).color)"
    )
    assert len(set(colours)) == 2
    assert tab.value(f"{SHOWN}.textContent").endswith(" </think>\\boxed{5}")
    assert text(tab, "#detail > .fixed") == ["gold 5 read 5 (box)"]
    tab.press("s")
    assert tab.value("document.querySelector('.switch').classList.contains('current')") is True


def test_a_group_stands_side_by_side_with_what_each_was_worth(show):
    worth = [{"reward": 1.0, "reward_accuracy": 0.75, "advantage": 0.5}, {"reward": 0.0, "advantage": -0.5} | WRONG]
    tab = show([ROW | {"step": 3, "group": 7} | change for change in worth], "row=grpo/seed0~3~7~0&view=group")
    tab.wait("document.querySelectorAll('.card').length === 2")
    heads = text(tab, "#detail th")
    lines = tab.value(
        "[...document.querySelectorAll('#detail tbody tr')].map((r) => [...r.cells].map((c) => c.innerText))"
    )
    shown = [dict(zip(heads, line, strict=True)) for line in lines]
    names = ("read", "reward", "accuracy", "factor", "weight", "advantage")
    assert [[line[name] for name in names] for line in shown] == [
        ["5", "1", "0.75", "0.25", "1.25", "+0.5"],
        ["6", "0", "–", "0.25", "1.25", "-0.5"],
    ]
    assert text(tab, "#detail h3")[0] == "2 completions: 1 right, 2 in language"
    tops = tab.value("[...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect().top)")
    assert tops[0] == tops[1]


def test_a_prompt_is_seen_across_steps_runs_and_the_evaluation(show):
    rows = [ROW | {"step": step, "group": step} for step in (1, 1, 5)] + [
        ROW | {"step": 5, "group": 0, "question": "autre"}
    ]
    records = [ROW | {"split": "test", "sample": sample, "reward": None} for sample in range(3)]
    sources = [
        Rows("a", rows, Reading(multiplies=True)),
        Rows("b", [ROW | {"step": 5, "group": 2} | OUTSIDE], Reading()),
        Rows("b", records, Reading(), evaluation=True),
    ]
    tab = show(sources, "row=a~5~5~0&view=prompt")
    tab.wait("document.querySelector('.card')")
    lines = tab.value(
        "[...document.querySelector('#detail table').rows].map((r) => [...r.cells].map((c) => c.innerText.trim()))"
    )
    assert [line[:6] for line in lines[1:]] == [
        ["a", "1", "2", "2", "2", "fr 2"],
        ["a", "5", "1", "1", "1", "fr 1"],
        ["b", "5", "1", "1", "0", "en 1"],
        ["b", "test", "3", "3", "3", "fr 3"],
    ]
    tab.value("document.querySelectorAll('#detail table')[0].rows[3].querySelector('button').click()")
    tab.wait("location.hash.includes('row=b%7E5%7E2%7E0')")
    tab.wait("document.querySelectorAll('.card').length === 1")
    assert "term 0.25" in text(tab, ".card .note")[0]  # of a run whose term does not multiply


def test_evaluation_records_have_their_own_filter(show):
    records = [ROW | {"split": "test", "problem": "p9", "sample": n} for n in range(2)]
    sources = [Rows("a", rows_of(4), Reading()), Rows("a", records, Reading(), evaluation=True)]
    tab = show(sources, "kind=evaluation")
    assert text(tab, ".row .place") == ["test · sample 0 · p9", "test · sample 1 · p9"]


def test_text_has_its_language_and_direction(show):
    arabic = {
        "language": "ar",
        "detected": "ar",
        "question": "كم يساوي 2+3؟",
        "completion": "<think>نجمع العددين.\nWe add.</think>5",
    }
    tab = show([ROW | {"step": 1, "group": 0, "switches": ["14 ar>en"]} | arabic], "row=grpo/seed0~1~0~0")
    tab.wait(SHOWN)
    question = "document.querySelector('.question .plain')"
    assert tab.value(f"[{question}.lang, {question}.dir]") == ["ar", "rtl"]
    edges = tab.value(
        "[...document.querySelectorAll('.completion [lang]')].map((e) => [e.getClientRects()[0], e.closest('.completion')"
        ".getBoundingClientRect()]).map(([line, box]) => [line.left - box.left, box.right - line.right])"
    )
    assert edges[0][0] > edges[0][1]  # the Arabic line begins at the right
    assert edges[1][0] < edges[1][1]  # and the English one at the left


def test_many_rows_are_few_elements_and_the_last_is_reached(show):
    tab = show(rows_of(3000))
    assert tab.value("document.querySelectorAll('.row').length") < 40
    tab.value("document.getElementById('list').scrollTop = 1e9")
    tab.wait("document.querySelector('.row[aria-posinset=\"3000\"]') && !document.querySelector('.row[data-bare]')")
    assert tab.value("document.querySelectorAll('.row').length") < 40
    box = "document.querySelector('.row[aria-posinset=\"3000\"]').getBoundingClientRect()"
    assert tab.value(f"Math.abs({box}.bottom - document.getElementById('list').getBoundingClientRect().bottom)") < 2


def test_a_list_too_tall_for_a_browser_is_reached_to_its_end(show):
    tab = show(rows_of(40), "row=grpo/seed0~5~1~3")
    height = tab.value("list.height")
    tab.value("Object.defineProperty(RowList.prototype, 'scale', { get() { return 0.3; } }), list.show(list.rows)")
    tab.value("document.getElementById('list').scrollTop = 1e9")
    tab.wait(f"Math.abs(document.querySelector('#list > div').offsetHeight - {40 * 0.3 * height}) < 2")
    tab.press("k")
    tab.wait("document.querySelector('[aria-selected=true]')")
    assert state(tab)["row"] == "grpo/seed0~5~1~2"


HOSTILE = {
    "element": "<script>window.hacked = 1</script>",
    "end of the script": "</script><script>window.hacked = 1</script>",
    "comment": "<!-- <script> --!> <![CDATA[ ]]>",
    "handler": "<img src=x onerror='window.hacked = 1'><svg onload=window.hacked=1><iframe srcdoc='<script>parent.hacked=1</script>'>",
    "template": "{{ 7 * 7 }} {% raw %} ${window.hacked = 1} `",
    "link": "javascript:window.hacked=1 data:text/html,<script>1</script>",
    "style": "</style><style>* { display: none !important; }</style> } body { display: none }",
    "base": "<base href='https://example.invalid/'><meta http-equiv=refresh content='0;url=about:blank'>",
    "bidi": "\u202egpj.exe\u202c \u2066x\u2067y\u2069 \u200f\u200e\u061c",
    "controls": "a\x00b\x1b[31m\x07\x85\u2028\u2029\ufeff\u00ad",
    "surrogates": "\ud83d half \udc00\ud800",
    "noncharacters": "\ufffe\uffff\U0010ffff\ue000",
    "marks": "Z" + "\u0301\u0323\u20dd" * 3000,
    "one word": "W" * 1_000_000,
    "one line": "mot " * 250_000,
    "many lines": "\n" * 100_000,
    "wide": "\u3000" * 5000 + "﷽" * 500,
    "deep": "<div>" * 20_000,
}


# What is cut off at the right, where nothing scrolls sideways and nothing says that there is more.
OUTSIDE_OF_DETAIL = """[...detail.querySelectorAll("*")].filter((element) => !element.closest(".scroll, .cards, .chip, .badge"))
  .filter((element) => element.getBoundingClientRect().right > detail.getBoundingClientRect().left + detail.clientWidth + 1)
  .map((element) => element.className)"""


@pytest.fixture(scope="module")
def hostile(tab, tmp_path_factory):
    """A page on which the words of all are everywhere, two rows of each name; its number of scripts when it was opened."""
    rows = []
    for group, words in enumerate(HOSTILE.values()):
        short = words[:300]
        row = ROW | {"step": 1, "group": group, "completion": f"Un. {words} </think>{words}"}
        row |= {"question": words, "gold": words, "answer": words, "rule": short, "status": short, "problem": short}
        row |= {"language": short, "detected": short, "answer_detected": short, "switches": [f"3 fr>{short}"]}
        rows += [row, row]
    path = tmp_path_factory.mktemp("hostile") / "page.html"
    source = Rows("".join(HOSTILE.values())[:500].replace("\x00", ""), rows, Reading())
    write_page(path, HOSTILE["element"], [source], [HOSTILE["handler"], HOSTILE["bidi"]])
    tab.problems.clear()
    tab.open(path, "", READY)
    return tab.value("document.scripts.length")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("view", ["completion", "group", "prompt"])
def test_a_hostile_completion_does_nothing_and_breaks_no_layout(tab, hostile, name, view):
    tab.value(f"openRow({2 * list(HOSTILE).index(name)}, '{view}')")
    tab.wait(f"{SHOWN} && {READY} && document.querySelectorAll('.card').length === {0 if view == 'completion' else 2}")
    assert tab.problems == []
    assert tab.value("typeof window.hacked") == "undefined"
    assert tab.value("document.scripts.length") == hostile
    assert tab.value("document.querySelectorAll('img, svg, iframe, base, #detail style, #detail script').length") == 0
    seen = tab.value("document.body.innerText")
    assert [
        sign
        for sign in set(seen)
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs") and sign not in "\n\t\u200c\u200d"
    ] == []
    for width in (1280, 500):
        tab.resize(width, 900)
        assert tab.value("document.documentElement.scrollWidth <= innerWidth")
        assert tab.value("document.documentElement.scrollHeight <= innerHeight")
        assert tab.value("detail.scrollWidth <= detail.clientWidth")
        if name != "marks":  # they are one sign, which no line can part: it is clipped
            assert tab.value(OUTSIDE_OF_DETAIL) == []
        assert tab.value("document.querySelector('#detail h2').getBoundingClientRect().height > 0")
    tab.resize(1280, 900)
    tab.wait(f"{READY} && new Set([...document.querySelectorAll('.row')].map((row) => row.offsetHeight)).size === 1")


def test_what_a_page_might_be_made_to_run_is_refused(tab, show):
    """The policy itself, were a text ever taken as markup."""
    show(rows_of(4))
    refused = tab.value(
        "(() => { try { document.body.innerHTML = '<img src=x onerror=window.hacked=1>'; return 'taken'; }"
        " catch (error) { return error.name; } })()"
    )
    assert refused == "TypeError"
    tab.value(
        "(() => { const script = document.createElement('script'); script.append('window.hacked = 1');"
        " document.body.append(script); })()"
    )
    assert tab.value("typeof window.hacked") == "undefined"
    assert len(tab.problems) > 0
    tab.problems.clear()


def test_a_long_completion_loses_its_middle_until_it_is_asked_for(show):
    long = "début " + "mot " * 10_000 + "fin"
    tab = show([ROW | {"step": 1, "group": 0, "completion": f"{long}</think>5"}], "row=grpo/seed0~1~0~0")
    tab.wait(SHOWN)
    assert tab.value(f"{SHOWN}.textContent.length") < 21_000
    assert text(tab, ".gap") == ["20,018 characters left out: show all"]
    tab.value("document.querySelector('.gap').click()")
    assert tab.value(f"{SHOWN}.textContent").removeprefix("fr") == f"{long}</think>5"


@pytest.mark.parametrize("dark", [False, True])
def test_texts_can_be_read_in_light_and_dark(show, dark):
    """Contrast of at least 4.5 for each language on the page and on the ground of foreign stretches."""
    codes = show(rows_of(1)).value("page.languages.map((language) => language.code)")
    rows = [ROW | {"step": 1, "group": number, "detected": code} for number, code in enumerate(codes)]
    tab = show(rows)
    tab.dark(dark)
    ratios = []
    for _ in codes:
        tab.press("j")
        tab.wait(SHOWN)
        ratios.append(tab.value(CONTRAST))
    tab.dark(False)
    assert min(ratios) >= 4.5


CONTRAST = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  const light = (...colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(document.querySelector(".completion .known[lang]"));
  const ground = getComputedStyle(document.body).backgroundColor;
  const pair = [light(ground, style.color), light(ground, style.backgroundColor)].sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
})()"""


SCROLL = """(async () => {
  const element = document.getElementById("list");
  for (let frame = 0; frame < 300; frame++) {
    element.scrollTop += STEP;
    await new Promise(requestAnimationFrame);
  }
  return element.scrollTop;
})()"""


@pytest.mark.slow
def test_50_000_rollouts_open_in_two_seconds_and_scroll_without_stalling(tmp_path):
    """In processor time of the page's main thread, which other work on the machine does not change."""
    rows = (
        row | {"completion": f"{number} " + "Un, deux. Three, four. " * 15 + "</think>5", "advantage": number / 7}
        for number, row in enumerate(rows_of(50_000))
    )
    write_page(tmp_path / "page.html", "Rollouts", [Rows("grpo/seed0", rows, Reading())])
    with browser(tmp_path / "profile") as tab:
        tab.resize(1280, 900)
        tab.open(tmp_path / "page.html", "", READY)
        assert tab.metric("TaskDuration") < 2
        assert tab.metric("JSHeapUsedSize") < 100e6
        for step in (120, 5000):  # a wheel, and a hand on the scroll bar: a frame has 16 ms
            before = tab.metric("TaskDuration")
            assert tab.value(SCROLL.replace("STEP", str(step))) >= 300 * step - 1
            assert (tab.metric("TaskDuration") - before) / 300 < 0.016
        before = tab.metric("TaskDuration")
        for _ in range(20):
            tab.press("j")
        tab.wait(SHOWN)
        assert (tab.metric("TaskDuration") - before) / 20 < 0.05
        assert tab.metric("JSHeapUsedSize") < 200e6
        assert tab.problems == []
