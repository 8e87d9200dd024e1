"""Columns and texts as they lie in the page."""

import base64
import json
import zlib

from src.reporting import rollout_packing
from src.reporting.rollout_packing import Blocks, Columns, packed


def unpacked(pack):
    return json.loads(zlib.decompress(base64.b64decode(pack)))


def test_a_pack_is_letters_and_digits_whatever_is_in_it():
    content = ["</script><!--", "\ud800", "\x00", "é", None, 1.5]
    assert set(packed(content)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    assert unpacked(packed(content)) == content


def test_values_that_recur_are_written_once():
    columns = Columns(["language", "tokens"])
    for tokens, language in enumerate(["fr", "fr", None, "fr", "fr"]):
        columns.add({"language": language, "tokens": tokens, "other": 1})
    columns.add({})
    assert columns.rows == 6
    assert columns.content() == {
        "language": {"values": ["fr", None], "codes": [0, 0, 1, 0, 0, 1]},
        "tokens": {"list": [0, 1, 2, 3, 4, None]},
    }


def test_numbers_are_short_and_those_that_are_none_are_text():
    columns = Columns(["reward"])
    for reward in (1 / 3, float("nan"), float("-inf"), 1e-9):
        columns.add({"reward": reward})
    assert columns.content()["reward"]["list"] == [0.333333, "nan", "-inf", 1e-09]


def test_texts_lie_in_blocks_with_their_questions_once(monkeypatch):
    monkeypatch.setattr(rollout_packing, "ROWS", 2)
    blocks = Blocks()
    for number in range(5):
        blocks.add("q", [str(number), ["fr", "trace"]])
    blocks.finish()
    assert blocks.starts == [0, 2, 4]
    assert unpacked(blocks.packs[0]) == {
        "questions": ["q"],
        "rows": [[0, "0", ["fr", "trace"]], [0, "1", ["fr", "trace"]]],
    }


def test_a_long_text_ends_its_block():
    blocks = Blocks()
    for size in (1, rollout_packing.CHARACTERS, 1):
        blocks.add("q", [None, ["", "x" * size]])
    blocks.finish()
    assert blocks.starts == [0, 2]
