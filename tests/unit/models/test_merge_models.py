"""Merging models on disk: shards, adapters, tied heads, refusals, memory."""

import json
import os
import shutil
import signal
import tracemalloc

import pytest
import torch
from safetensors.torch import load_file, save_file

from src.models import save
from src.models.load import add_lora, load_model, policy_weights
from src.models.merge import stream
from src.models.merge.accept import check_merged, merge_models
from src.models.merge.base import BadMerge
from src.models.merge.checkpoint import Adapter, Checkpoint
from src.models.merge.compare import check_alike
from src.models.merge.dare import Dare
from src.models.merge.layer_swap import LayerSwap
from src.models.merge.linear import Linear
from src.models.merge.task_arithmetic import TaskArithmetic
from src.models.merge.ties import Ties
from src.models.save import save_model, write_weights
from src.models.spec import LoraSpec, ModelSpec
from tests.helpers import tiny

RULES = [
    Linear(weights=[1, 3]),
    TaskArithmetic(weights=[1, 0.5], scale=0.5),
    Ties(density=0.3),
    Dare(drop=0.6, seed=2),
    Dare(drop=0.6, rescale="l1"),
    LayerSwap(bottom=1, top=0),
]
VOCABULARY = 300  # room for the characters of the tokenizer


def write(folder, seed=0, kind="qwen2", tied=False, shard=None, dtype=torch.float32, vocabulary=VOCABULARY, drift=None):
    """A model folder: one of `seed`, or the base (seed 0) with a small drift of that seed."""
    model = tiny.model(kind, seed=seed, tied=tied, vocabulary=vocabulary).to(dtype)
    if drift is not None:
        generator = torch.Generator().manual_seed(drift)
        for parameter in model.parameters():
            parameter.data.add_(0.05 * torch.randn(parameter.shape, generator=generator).to(dtype))
    save_model(model, tiny.tokenizer(tiny.QWEN3), folder)
    if shard:
        weights = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        write_weights(weights, folder, shard=shard)
    return folder


def adapters(folder, base, seed, alpha=8):
    """LoRA adapters as peft saves them, and the same policy as a full model in `<folder>-full`."""
    torch.manual_seed(seed)
    policy = add_lora(load_model(base, ModelSpec()), LoraSpec(rank=4, alpha=alpha))
    for name, parameter in policy.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.05)
    policy.save_pretrained(folder)
    full = folder.with_name(folder.name + "-full")
    save_model(policy, tiny.tokenizer(tiny.QWEN3), full)
    return folder, full


def merge(rule, models, base, folder, **settings):
    opened = [Checkpoint.of(path) if isinstance(path, type(folder)) else path for path in models]
    whole = None if base is None else Checkpoint.of(base)
    check_alike(rule, opened, whole)
    merge_models(rule, opened, whole, folder, **settings)
    return folder


def weights(folder):
    return {name: tensor for file in sorted(folder.glob("*.safetensors")) for name, tensor in load_file(file).items()}


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{type(rule).__name__}")
def test_shards_and_the_size_of_chunks_change_nothing(tmp_path, monkeypatch, rule):
    base, one, two = (write(tmp_path / str(n), drift=n or None) for n in range(3))
    whole = merge(rule, [one, two], base, tmp_path / "whole")
    monkeypatch.setattr(stream, "ELEMENTS_AT_ONCE", 700)
    sharded = [write(tmp_path / f"{n}-sharded", drift=n or None, shard=20_000) for n in range(3)]
    assert len(list(sharded[1].glob("*.safetensors"))) > 2
    again = merge(rule, [sharded[1], two], sharded[0], tmp_path / "again", shard=30_000)
    assert (again / "model.safetensors.index.json").is_file() and not (whole / "model.safetensors.index.json").exists()
    one_way, other_way = weights(whole), weights(again)
    assert one_way.keys() == other_way.keys()
    for name, tensor in one_way.items():
        torch.testing.assert_close(other_way[name], tensor, rtol=0 if rule.__class__ is not Dare else 1e-6, atol=0)


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.weights and not isinstance(rule, LayerSwap)])
def test_the_order_of_models_does_not_matter(tmp_path, rule):
    base, one, two = (write(tmp_path / str(n), drift=n or None) for n in range(3))
    forth = merge(rule, [one, two], base, tmp_path / "forth")
    back = merge(rule, [two, one], base, tmp_path / "back")
    assert (forth / "model.safetensors").read_bytes() == (back / "model.safetensors").read_bytes()


def test_a_merge_on_disk_is_the_rule_on_every_tensor(tmp_path):
    base, one, two = (write(tmp_path / str(n), drift=n or None) for n in range(3))
    merged = weights(merge(Ties(density=0.3), [one, two], base, tmp_path / "merged"))
    parts = [weights(folder) for folder in (base, one, two)]
    assert merged.keys() == parts[0].keys()
    for name, tensor in merged.items():
        assert torch.equal(tensor, Ties(density=0.3)(None, parts[0][name], [parts[1][name], parts[2][name]]))


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_merged_model_loads_in_its_dtype_with_its_head_as_it_was(tmp_path, kind, tied, dtype):
    one, two = (write(tmp_path / str(n), kind=kind, tied=tied, dtype=dtype, drift=n) for n in (1, 2))
    merged = merge(Linear(), [one, two], None, tmp_path / "merged")
    assert ("lm_head.weight" in weights(merged)) == (not tied)
    assert {tensor.dtype for tensor in weights(merged).values()} == {dtype}
    model = load_model(merged, ModelSpec(dtype=str(dtype).removeprefix("torch.")))
    head, embedding = model.get_output_embeddings().weight, model.get_input_embeddings().weight
    assert (head.data_ptr() == embedding.data_ptr()) == tied
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (merged / file).read_bytes() == (one / file).read_bytes()


def test_a_head_that_is_stored_beside_the_embedding_it_is_tied_to_does_not_count(tmp_path):
    one, two = (write(tmp_path / str(n), kind="qwen3", tied=True, drift=n) for n in (1, 2))
    plain = merge(Linear(), [one, two], None, tmp_path / "plain")
    stored = weights(one)
    save_file(
        stored | {"lm_head.weight": stored["model.embed_tokens.weight"].clone()},
        one / "model.safetensors",
        {"format": "pt"},
    )
    assert content(merge(Linear(), [one, two], None, tmp_path / "again")) == content(plain)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{type(rule).__name__}")
def test_adapters_merge_as_the_full_models_they_make(tmp_path, rule):
    base = write(tmp_path / "base")
    (one, one_full), (two, two_full) = (adapters(tmp_path / str(n), base, n, alpha=4 + n) for n in (1, 2))
    whole = Checkpoint.of(base)
    ours = merge(rule, [Adapter.of(one, whole), Adapter.of(two, whole)], base, tmp_path / "ours")
    full = merge(rule, [one_full, two_full], base, tmp_path / "full")
    mixed = merge(rule, [Adapter.of(one, whole), two_full], base, tmp_path / "mixed")
    for name, tensor in weights(full).items():
        for other in (weights(ours)[name], weights(mixed)[name]):
            torch.testing.assert_close(other, tensor, rtol=1e-5, atol=2e-6)


def test_the_mean_of_adapters_is_the_mean_of_their_products(tmp_path):
    """A and B averaged apart would give cross terms B_1 A_2."""
    base = write(tmp_path / "base")
    pair = [adapters(tmp_path / str(n), base, n)[0] for n in (1, 2)]
    whole = Checkpoint.of(base)
    merged = weights(merge(Linear(), [Adapter.of(path, whole) for path in pair], base, tmp_path / "merged"))
    name = "model.layers.1.mlp.down_proj"
    products = []
    for path in pair:
        stored = load_file(path / "adapter_model.safetensors")
        a, b = (stored[f"base_model.model.{name}.lora_{half}.weight"] for half in "AB")
        products.append(8 / 4 * b @ a)
    expected = weights(base)[f"{name}.weight"] + (products[0] + products[1]) / 2
    torch.testing.assert_close(merged[f"{name}.weight"], expected)


def test_rank_stabilised_adapters_and_alphas_of_their_own_have_their_scale(tmp_path):
    base = write(tmp_path / "base")
    folder, _ = adapters(tmp_path / "one", base, 1)
    settings = json.loads((folder / "adapter_config.json").read_text())
    settings |= {"use_rslora": True, "alpha_pattern": {"layers.0.mlp.up_proj": 3}}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    scales = Adapter.of(folder, Checkpoint.of(base)).scales
    assert scales["model.layers.1.mlp.up_proj.weight"] == 4.0  # 8 / sqrt(4)
    assert scales["model.layers.0.mlp.up_proj.weight"] == 1.5  # 3 / sqrt(4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"use_dora": True}, "use_dora of adapters to merge must be False"),
        ({"peft_type": "IA3"}, "peft_type of adapters to merge must be LORA"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out of adapters to merge must be False"),
    ],
)
def test_adapters_that_are_not_plain_lora_are_refused(tmp_path, change, message):
    base = write(tmp_path / "base")
    folder, _ = adapters(tmp_path / "one", base, 1)
    settings = json.loads((folder / "adapter_config.json").read_text()) | change
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    with pytest.raises(BadMerge, match=message):
        Adapter.of(folder, Checkpoint.of(base))


def test_adapters_with_other_weights_in_them_or_of_another_base_are_refused(tmp_path):
    base = write(tmp_path / "base")
    folder, _ = adapters(tmp_path / "one", base, 1)
    stored = load_file(folder / "adapter_model.safetensors")
    other = write(tmp_path / "other", kind="qwen3")
    shape = "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"
    for change, message in (
        ({"base_model.model.lm_head.weight": torch.ones(2)}, "LoRA on linear layers and nothing else; got base_model"),
        (
            {"base_model.model.model.layers.7.mlp.up_proj.lora_A.weight": torch.ones(4, 32)},
            "a weight of the base under it",
        ),
        ({shape: torch.ones(4, 31)}, r"must have the shape of its weight; .* and B A has \(64, 31\)"),
    ):
        save_file(stored | change, folder / "adapter_model.safetensors")
        with pytest.raises(BadMerge, match=message):
            Adapter.of(folder, Checkpoint.of(base))
    save_file(stored, folder / "adapter_model.safetensors")
    assert Adapter.of(folder, Checkpoint.of(other)).pairs  # the shapes fit: that the base is another, the pipeline sees


def rewrite(folder, change):
    stored = weights(folder)
    change(stored)
    save_file(stored, folder / "model.safetensors", {"format": "pt"})


def settings_of(folder, file, change):
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


UP = "model.layers.0.mlp.up_proj.weight"
OTHERS = {
    "names": (lambda f: rewrite(f, lambda w: w.update(more=w.pop(UP))), f"the same tensors; .* differ in {UP}, more"),
    "shapes": (lambda f: rewrite(f, lambda w: w.update({UP: w[UP][:5]})), rf"the same shape; {UP} is \(64, 32\)"),
    "dtypes": (lambda f: rewrite(f, lambda w: w.update({UP: w[UP].half()})), f"the same dtype; {UP} is F32 .* and F16"),
    "settings": (
        lambda f: settings_of(f, "config.json", {"rms_norm_eps": 0.5}),
        "agree on rms_norm_eps; .* 1e-06 and 0.5",
    ),
    "heads": (lambda f: settings_of(f, "config.json", {"tie_word_embeddings": True}), "agree on tie_word_embeddings"),
    "end": (
        lambda f: settings_of(f, "tokenizer_config.json", {"eos_token": "<think>"}),
        "same tokenizer; .* in eos_token",
    ),
}


def swap_two_tokens(folder):
    content = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    (folder / "tokenizer.json").write_text(json.dumps(content))


OTHERS["tokenizer"] = (swap_two_tokens, "same tokenizer; .* differ in vocabulary")


@pytest.mark.parametrize("name", OTHERS)
def test_models_that_are_not_alike_are_refused_before_weights_are_read(tmp_path, monkeypatch, name):
    one, two = (write(tmp_path / str(n), drift=n) for n in (1, 2))
    change, message = OTHERS[name]
    change(two)
    monkeypatch.setattr(Checkpoint, "rows", None)
    with pytest.raises(BadMerge, match=message):
        check_alike(Linear(), [Checkpoint.of(one), Checkpoint.of(two)], None)
    with pytest.raises(BadMerge, match=message.partition(";")[0]):
        check_alike(Ties(), [Checkpoint.of(two)], Checkpoint.of(one))


def test_what_newer_versions_write_differently_is_no_difference(tmp_path):
    one, two = (write(tmp_path / str(n), drift=n) for n in (1, 2))
    settings_of(two, "config.json", {"transformers_version": "4.51.0", "use_cache": False, "new_default": 1})
    settings_of(two, "tokenizer.json", {"version": "2.0"})
    check_alike(Linear(), [Checkpoint.of(one), Checkpoint.of(two)], None)


def test_layers_that_do_not_fit_are_refused(tmp_path):
    one, two = (Checkpoint.of(write(tmp_path / str(n), drift=n)) for n in (1, 2))
    with pytest.raises(BadMerge, match="fit into the 2 layers of the models; got merge.bottom=2, merge.top=1"):
        check_alike(LayerSwap(bottom=2, top=1), [one, two], None)


@pytest.mark.parametrize("damage", ["missing", "cut", "none"])
def test_weights_that_are_not_whole_are_refused(tmp_path, damage):
    folder = write(tmp_path / "one", shard=20_000)
    files = sorted(folder.glob("*.safetensors"))
    messages = {
        "missing": "shard of a model must be there",
        "cut": "must be whole; it is damaged",
        "none": "as .safetensors",
    }
    if damage == "missing":
        files[1].unlink()
    elif damage == "cut":
        files[1].write_bytes(files[1].read_bytes()[:-100])
    else:
        for path in (*files, folder / "model.safetensors.index.json"):
            path.unlink()
    with pytest.raises(BadMerge, match=messages[damage]):
        Checkpoint.of(folder)


def test_nan_in_a_model_and_infinity_in_the_result_are_refused_and_leave_nothing(tmp_path):
    base, one, two = (write(tmp_path / str(n), drift=n or None) for n in range(3))
    for folder in (base, one, two):
        rewrite(folder, lambda w: w.update({name: tensor.half() for name, tensor in w.items()}))
    with pytest.raises(BadMerge, match=r"must be finite in float16; .* is not. Use smaller"):
        merge(TaskArithmetic(scale=1e8), [one, two], base, tmp_path / "merged")
    rewrite(two, lambda w: w[UP].fill_(float("nan")))
    with pytest.raises(BadMerge, match=rf"{two}: weights to merge must be finite; {UP}"):
        merge(Linear(), [one, two], None, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_buffers_of_whole_numbers_are_kept_where_they_agree(tmp_path):
    one, two = (write(tmp_path / str(n), drift=n) for n in (1, 2))
    for folder in (one, two):
        rewrite(folder, lambda w: w.update({"model.counter": torch.tensor([2**60 + 1])}))
    opened = [Checkpoint.of(folder) for folder in (one, two)]
    (tmp_path / "out").mkdir()
    stream.write_merged(Linear(), opened, None, tmp_path / "out", lambda *_: None)
    assert weights(tmp_path / "out")["model.counter"].tolist() == [2**60 + 1]
    rewrite(two, lambda w: w.update({"model.counter": torch.tensor([5])}))
    with pytest.raises(BadMerge, match=r"must be equal in all models to merge; model.counter \(I64\) differs"):
        stream.write_merged(Linear(), [opened[0], Checkpoint.of(two)], None, tmp_path / "out", lambda *_: None)


def test_a_model_that_does_not_compute_is_not_accepted(tmp_path):
    good = write(tmp_path / "good", kind="qwen3", tied=True)
    check_merged(good)
    for name, change, message in (
        ("lost", lambda w: w.pop(UP), "exactly its architecture's weights; missing_keys: .*up_proj"),
        ("large", lambda w: w["model.norm.weight"].fill_(1e38), "must give finite logits"),
    ):
        folder = tmp_path / name
        shutil.copytree(good, folder)
        rewrite(folder, change)
        with pytest.raises(BadMerge, match=message):
            check_merged(folder)
    small = write(tmp_path / "small", vocabulary=50)
    with pytest.raises(BadMerge, match=r"fit vocab_size=50 of config.json; got 50 logits and \d+ tokens"):
        check_merged(small)


def test_a_model_kept_by_that_name_stays_until_the_new_one_is_accepted(tmp_path, monkeypatch):
    one, two = (write(tmp_path / str(n), drift=n) for n in (1, 2))
    merged = merge(Linear(), [one, two], None, tmp_path / "merged")
    before = content(merged)
    (tmp_path / "merged.partial").mkdir()
    (tmp_path / "merged.partial" / "model.safetensors").write_bytes(b"half")  # of an attempt that was killed
    monkeypatch.setattr("src.models.merge.accept.check_merged", lambda *_: (_ for _ in ()).throw(BadMerge("no")))
    with pytest.raises(BadMerge):
        merge(Linear(weights=[1, 2]), [one, two], None, merged)
    assert content(merged) == before
    monkeypatch.undo()
    assert content(merge(Linear(), [one, two], None, merged)) == before


def test_killed_in_the_middle_and_done_again_it_has_the_same_bytes(tmp_path):
    base, one, two = (write(tmp_path / str(n), drift=n or None) for n in range(3))
    straight = merge(Dare(), [one, two], base, tmp_path / "straight")
    left = iter(range(9))

    def die(count, name):
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            merge(Dare(), [one, two], base, tmp_path / "broken", advance=die)
        finally:
            os._exit(1)  # not reached
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert (tmp_path / "broken.partial").is_dir() and not (tmp_path / "broken").exists()
    assert content(merge(Dare(), [one, two], base, tmp_path / "broken")) == content(straight)
    assert not (tmp_path / "broken.partial").exists()


def test_memory_does_not_grow_with_the_tensors(tmp_path, monkeypatch):
    """What Python and numpy allocate is a few chunks, far below one tensor; torch's share is measured by bench-merge."""
    base, one, two = (write(tmp_path / str(n), drift=n or None, vocabulary=8_000) for n in range(3))
    opened = [Checkpoint.of(folder) for folder in (base, one, two)]
    monkeypatch.setattr(stream, "ELEMENTS_AT_ONCE", 2**12)
    (tmp_path / "out").mkdir()
    sizes = []
    whole = Checkpoint.rows

    def rows(self, name, rows):
        values = whole(self, name, rows)
        sizes.append(values.numel())
        return values

    monkeypatch.setattr(Checkpoint, "rows", rows)
    tracemalloc.start()
    stream.write_merged(Ties(), opened[1:], opened[0], tmp_path / "out", lambda *_: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(sizes) <= 2**12 and peak < 8_000 * 32 * 4 / 2


def test_the_probe_of_exports_is_what_accepts(tmp_path, monkeypatch):
    called = []
    probe = save.probe
    monkeypatch.setattr("src.models.merge.accept.probe", lambda model: called.append(model) or probe(model))
    one, two = (write(tmp_path / str(n), drift=n) for n in (1, 2))
    merge(Linear(), [one, two], None, tmp_path / "merged")
    assert len(called) == 1
    assert policy_weights(called[0]).keys() >= weights(tmp_path / "merged").keys()
