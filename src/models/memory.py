"""How much memory a stage needs, from the sizes of the model and the settings, before anything is loaded.

Everything here is arithmetic over tensors that are known to exist; what libraries use beside them (code, CUDA contexts,
fragments) is not in it. Symbols in the docstrings: P parameters, b bytes a number, L layers, H hidden size, A = heads x
head size, K = key heads x head size, I intermediate size, V vocabulary, N tokens of a micro-batch, r LoRA rank.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GB = 1e9  # bytes

# Published sizes, so that an estimate needs no download (`config.json` of each model).
KNOWN: dict[str, dict[str, Any]] = {
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": {
        "model_type": "qwen2",
        "num_hidden_layers": 28,
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
        "vocab_size": 151936,
        "tie_word_embeddings": False,
    },
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": {
        "model_type": "qwen2",
        "num_hidden_layers": 28,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152064,
        "tie_word_embeddings": False,
    },
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": {
        "model_type": "qwen2",
        "num_hidden_layers": 64,
        "hidden_size": 5120,
        "intermediate_size": 27648,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "vocab_size": 152064,
        "tie_word_embeddings": False,
    },
    "Qwen/Qwen3-4B": {
        "model_type": "qwen3",
        "num_hidden_layers": 36,
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
    },
}
WHOLE_LOGITS = 3  # float32 copies of [N, V] logits held at once where they are computed whole (`whole_logprobs`)
DRAWN_LOGITS = 4  # and of [rows, V] while a token is drawn: logits, log-probabilities, probabilities, their sums
FLOAT = 4


@dataclass(frozen=True)
class Shape:
    """The sizes of a Qwen2- or Qwen3-like model; of another architecture they are an approximation."""

    layers: int
    hidden: int
    heads: int
    key_heads: int
    head_size: int
    intermediate: int
    vocabulary: int
    tied: bool
    bias: bool  # q, k and v have one
    head_norms: bool  # q and k are normalised

    @staticmethod
    def of(config: Mapping[str, Any]) -> Shape:
        """From what a model's `config.json` says."""
        heads = int(config["num_attention_heads"])
        kind = str(config.get("model_type", ""))
        return Shape(
            layers=int(config["num_hidden_layers"]),
            hidden=int(config["hidden_size"]),
            heads=heads,
            key_heads=int(config.get("num_key_value_heads") or heads),
            head_size=int(config.get("head_dim") or config["hidden_size"] // heads),
            intermediate=int(config["intermediate_size"]),
            vocabulary=int(config["vocab_size"]),
            tied=bool(config.get("tie_word_embeddings", False)),
            bias=kind.startswith("qwen2"),
            head_norms=kind.startswith("qwen3"),
        )

    @property
    def query(self) -> int:
        """A."""
        return self.heads * self.head_size

    @property
    def key(self) -> int:
        """K."""
        return self.key_heads * self.head_size

    @property
    def linear(self) -> int:
        """Weights of the linear layers: L (H A + 2 H K + A H + 3 H I), what LoRA adapts and the sampler folds."""
        return self.layers * self.hidden * (2 * self.query + 2 * self.key + 3 * self.intermediate)

    @property
    def parameters(self) -> int:
        """P: the linear layers, q k v biases, norms (2 H a layer, 2 head sizes where heads have them, H at the end),
        V H for the embedding, and again for a head that is not tied to it."""
        small = 2 * self.hidden + self.bias * (self.query + 2 * self.key) + self.head_norms * 2 * self.head_size
        return self.linear + self.layers * small + self.hidden + self.vocabulary * self.hidden * (2 - self.tied)

    def adapters(self, rank: int) -> int:
        """LoRA weights: r (inputs + outputs) of every linear layer."""
        attention = (self.hidden + self.query) * 2 + 2 * (self.hidden + self.key)
        return self.layers * rank * (attention + 3 * (self.hidden + self.intermediate))


@dataclass(frozen=True)
class Work:
    """What a stage does with the model. `width` is the bytes of a number of its weights (4 or 2).

    `tokens` and `targets` are positions and completion positions of the largest micro-batch (0: nothing is trained);
    `rows` sequences of `prompt` + `response` tokens are sampled at once (0: nothing is).
    """

    width: int = FLOAT
    rank: int = 0
    checkpointing: bool = False
    reference: bool = False  # a second, frozen model
    tokens: int = 0
    targets: int = 0
    rows: int = 0
    prompt: int = 0
    response: int = 0
    engine: str = "native"
    served: int = 0  # what vLLM takes of a device for weights and cache together; 0: another engine, or elsewhere
    sleeps: bool = True  # and gives back between rounds
    whole_logits: int = 2**24  # above so many logits they are computed in chunks
    chunk: int = 1024 * 4096  # of so many
    ranks: int = 1
    zero: int = 0  # what the ranks split: 1 the optimiser, 2 gradients too, 3 weights too
    offload: bool = False  # of that, the optimiser lies elsewhere

    def split(self, size: int, stage: int) -> int:
        """What a rank holds of `size` bytes that ZeRO splits from `stage` on."""
        return -(-size // self.ranks) if self.zero >= stage else size


@dataclass(frozen=True)
class Item:
    """A group of tensors: when it is held, and the settings that make it smaller.

    `held` is `always`, `rollout` or `update`, or a moment of the update: `projection`, or `layer`, the backward pass.
    """

    name: str
    size: int
    held: str
    setting: str


def items(shape: Shape, work: Work) -> list[Item]:
    """Everything a stage holds, in bytes; nothing of size 0."""
    trained = shape.adapters(work.rank) if work.rank else shape.parameters
    number = FLOAT if work.rank or work.zero else work.width  # adapters stay in float32, and what ZeRO updates
    trained = trained if work.tokens else 0
    updated = 0 if work.offload else trained
    copy = updated * FLOAT if work.zero else 0
    parts = [
        Item(
            "weights",
            work.split(shape.parameters * work.width, 3),
            "always",
            "model.dtype, distributed.zero=3, a smaller model",
        ),
        Item("adapters", trained * FLOAT if work.rank else 0, "always", "model.lora.rank"),
        Item("weights that are updated, in float32", work.split(copy, 1), "always", "distributed.offload=optimiser"),
        Item(
            "optimiser state (two moments)",
            work.split(2 * updated * number, 1),
            "always",
            "model.lora.rank, distributed.zero=1",
        ),
        Item(
            "reference policy",
            shape.parameters * work.width if work.reference else 0,
            "always",
            "model.lora.rank (the policy without adapters is the reference), objective.loss.kl_coefficient=0",
        ),
        *sampling(shape, work),
        Item("gradients", gradients(trained * number, work), "update", "model.lora.rank, distributed.zero=2"),
        Item(
            "activations",
            activations(shape, work),
            "update",
            "model.gradient_checkpointing=true, tokens_per_microbatch of the stage",
        ),
        Item("a layer computed again", again(shape, work), "layer", "tokens_per_microbatch of the stage"),
        Item("vocabulary projection", projection(shape, work), "projection", "tokens_per_microbatch of the stage"),
    ]
    return [item for item in parts if item.size]


def sampling(shape: Shape, work: Work) -> list[Item]:
    """What an engine holds; vLLM takes its share of a device whatever is asked of it."""
    if work.served:
        held = "rollout" if work.sleeps else "always"
        return [Item("vLLM's weights and cache", work.served, held, "rollout.vllm.memory_share, rollout.vllm.sleep")]
    return [
        Item("sampler's own weights", sampler_weights(shape, work), "always", "model.dtype, a smaller model"),
        Item("KV cache", cache(shape, work), "rollout", "rollout.rows_at_once, rollout.maximum_new_tokens"),
        Item("tokens being drawn", drawing(shape, work), "rollout", "rollout.rows_at_once"),
    ]


def total(parts: list[Item]) -> int:
    """What is always held, and the larger of rollout and update, which take turns; so do the moments of an update."""
    sizes: defaultdict[str, int] = defaultdict(int)
    for item in parts:
        sizes[item.held] += item.size
    return sizes["always"] + max(sizes["rollout"], sizes["update"] + max(sizes["projection"], sizes["layer"]))


def gradients(size: int, work: Work) -> int:
    """Of several ranks without ZeRO twice, for they are summed in one message; split from ZeRO 2 on."""
    return work.split(size, 2) if work.zero else (1 + (work.ranks > 1)) * size


def sampler_weights(shape: Shape, work: Work) -> int:
    """Of our decoder q k v and gate up, which it fuses: L H (A + 2 K + 2 I) b; with adapters all linear layers, which it
    folds; what it does not change it shares. `generate` has a model of its own: P b."""
    if not work.rows:
        return 0
    if work.engine != "native":
        return shape.parameters * work.width
    fused = shape.layers * shape.hidden * (shape.query + 2 * shape.key + 2 * shape.intermediate)
    return (shape.linear if work.rank else fused) * work.width


def cache(shape: Shape, work: Work) -> int:
    """Keys and values: 2 L K (prompt + response) b for each row."""
    return 2 * shape.layers * shape.key * (work.prompt + work.response) * work.rows * work.width


def drawing(shape: Shape, work: Work) -> int:
    """For each row 4 V in float32 while a token is drawn, and for each token of its budget a random number, a token and
    a log-probability (4 + 8 + 4 bytes)."""
    return work.rows * (DRAWN_LOGITS * shape.vocabulary * FLOAT + work.response * 16)


def activations(shape: Shape, work: Work) -> int:
    """What the forward pass keeps for the backward pass: N (L x layer + 3 H b), and with gradient checkpointing N (L + 3)
    H b, the inputs of the layers alone."""
    between = shape.hidden * work.width
    layer = between if work.checkpointing else layer_activations(shape, work)
    return work.tokens * (shape.layers * layer + 3 * between)


def again(shape: Shape, work: Work) -> int:
    """With gradient checkpointing, one layer whole and the gradients in its feed-forward block: N (layer + 2 I b)."""
    if not work.checkpointing:
        return 0
    return work.tokens * (layer_activations(shape, work) + 2 * shape.intermediate * work.width)


def layer_activations(shape: Shape, work: Work) -> int:
    """Bytes a token that one layer keeps: 6 H (two residual streams, two norms before and after their weights), 2 A +
    2 K (rotated query and key, value, attended), 4 I (gate, its activation, up, their product); with norms of heads
    2 A + 2 K more. In bfloat16 each norm keeps its input in float32 too. Frozen weights need no normalised input, but
    each adapter keeps its own input in float32 (in float32 it is the same tensor) and r numbers."""
    h = shape.hidden
    a = shape.query
    k = shape.key
    i = shape.intermediate
    half = work.width < FLOAT
    numbers = 6 * h + 2 * a + 2 * k + 4 * i
    normed = 2 * h
    if shape.head_norms:
        numbers += 2 * (a + k)
        normed += a + k
    size = numbers * work.width + (normed * FLOAT if half else 0)
    if work.rank:
        size -= normed * work.width  # before the weight of a norm, which is frozen
        size += 7 * work.rank * FLOAT
        if half:
            size += (5 * h + a + i) * FLOAT - (2 * h + i) * work.width
    return size


def projection(shape: Shape, work: Work) -> int:
    """Hidden states of the targets and their gradients, targets x H (3 b + 12); of logits that are computed whole
    3 x targets x V in float32, otherwise 5 chunks of them; and for a trained head its new gradient, V H b (at most:
    `src.models.fused` adds to the one that is there)."""
    if not work.tokens:
        return 0
    states = work.targets * shape.hidden * (3 * work.width + 3 * FLOAT)
    logits = work.targets * shape.vocabulary
    kept = WHOLE_LOGITS * logits if logits <= work.whole_logits else 5 * min(work.chunk, logits)
    own = 0 if work.rank else shape.vocabulary * shape.hidden * work.width
    return states + kept * FLOAT + own
