"""Make the base model of the embedded world from nothing: tokenizer, architecture, weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from src.config.schema import Config
from src.data.chat import Chat, completion_tokens
from src.data.world import documents
from src.data.world import tokenizer as world_tokenizer
from src.data.world.spec import WorldSpec
from src.models.load import pad_token
from src.models.save import save_model
from src.pipeline.preflight.look import Look
from src.pipeline.stage import Declaration, Stage
from src.training.supervised import Recipe, Row, train

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

INPUTS = ("seed", "world", "pretrain")


def declare(config: Config) -> Declaration:
    """What the pipeline must know of this stage."""
    return Declaration(INPUTS, makes_model=True)


def preflight(look: Look) -> None:
    """It starts from nothing."""


def run(stage: Stage) -> None:
    """Read `world.pretrain_documents` documents in `pretrain.steps` updates; leaves `model/`."""
    config = stage.config
    # 1. The corpus, and a tokenizer trained on it.
    corpus = documents.pretraining(config.world, config.seed)
    tokenizer = _tokenizer(corpus, config.world)
    # 2. A randomly initialised Qwen3 model.
    model = initial_model(config.world, tokenizer, config.seed).to(stage.ranks.device)
    # 3. Train on reasoning and answer.
    chat = Chat.of(tokenizer, "none", config.model)
    rows = [_row(chat, document) for document in corpus]
    recipe = Recipe(
        config.pretrain.steps,
        config.pretrain.sequences_per_step,
        config.sft.tokens_per_microbatch,
        config.pretrain.optimiser,
    )
    train(stage, model, rows, [], recipe, pad_token(tokenizer))
    # 4. Keep the result.
    save_model(model, tokenizer, stage.planned.result, write=stage.ranks.main)


def initial_model(world: WorldSpec, tokenizer: PreTrainedTokenizerBase, seed: int) -> Any:
    """A Qwen3 causal language model of the world's sizes with weights drawn from `seed`."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=world.hidden_size,
            intermediate_size=world.intermediate_size,
            num_hidden_layers=world.layers,
            num_attention_heads=world.heads,
            num_key_value_heads=world.key_value_heads,
            head_dim=world.head_size,
            tie_word_embeddings=True,
            max_position_embeddings=1024,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
        )
    ).eval()


def _tokenizer(corpus: list[documents.Document], world: WorldSpec) -> PreTrainedTokenizerBase:
    texts = (f"{document.question}\n{document.completion}" for document in corpus if not document.chat)
    return world_tokenizer.train(texts, world.vocabulary)


def _row(chat: Chat, document: documents.Document) -> Row:
    if document.chat:
        return Row(chat.tokens(document.question), chat.completion(document.completion))
    # Plain text: no chat tokens, and no `</think>` before the answer.
    plain = document.completion.replace(f"\n{world_tokenizer.END_THINK}", "\n")
    prompt = list(chat.tokenizer(document.question + "\n", add_special_tokens=False)["input_ids"])
    return Row(prompt, completion_tokens(chat.tokenizer, plain))
