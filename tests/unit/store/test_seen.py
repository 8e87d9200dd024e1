"""What a model has seen in training, along a chain of stages and through merges."""

from src.store.seen import note_merged, note_seen, seen_languages, seen_rows


def test_a_chain_of_stages_adds_up(tmp_path):
    sft, grpo, again = tmp_path / "sft", tmp_path / "grpo", tmp_path / "again"
    note_seen(sft, "sft", "org/name", ["te", "sw", "te"])
    note_seen(grpo, "grpo", str(sft), ["sw", "fr"])
    note_seen(again, "grpo", str(grpo), ["sw"])
    assert seen_rows(str(sft)) == {"sft": {"sw": 1, "te": 2}}
    assert seen_rows(str(again)) == {"sft": {"sw": 1, "te": 2}, "grpo": {"fr": 1, "sw": 2}}
    assert seen_languages(str(again)) == ["fr", "sw", "te"]


def test_a_model_without_a_note_or_with_a_damaged_one_is_unknown(tmp_path):
    assert seen_languages("") is None and seen_languages("org/name") is None and seen_languages(str(tmp_path)) is None
    for content in ("", "[]", '{"sft": ["fr"]}'):
        (tmp_path / "languages.json").write_text(content)
        assert seen_languages(str(tmp_path)) is None


def test_a_merged_model_has_seen_what_its_parts_have(tmp_path):
    one, two, base, merged = (tmp_path / name for name in ("one", "two", "base", "merged"))
    base.mkdir()
    note_seen(one, "sft", str(base), ["fr", "fr"])
    note_seen(two, "sft", str(base), ["fr", "te"])
    note_merged(merged, [str(one), str(two), str(base)], str(base))
    assert seen_rows(str(merged)) == {"sft": {"fr": 2, "te": 1}}


def test_a_merge_with_an_unknown_model_is_unknown(tmp_path):
    one, merged = tmp_path / "one", tmp_path / "merged"
    for folder in (one, merged):  # the files of a merged model are copied from its first part
        note_seen(folder, "sft", "", ["fr"])
    note_merged(merged, [str(one), "org/name"], None)
    assert seen_languages(str(merged)) is None
