"""A world model of random weights on disk, for tests that need a whole pipeline and no skill."""

import pytest


@pytest.fixture(scope="session")
def random_model(tmp_path_factory):
    """Folder of an untrained model of the tiny world, with its tokenizer."""
    from src.data.world import documents, tokenizer
    from src.data.world.spec import WorldSpec
    from src.models.save import save_model
    from src.stages.pretrain import initial_model

    world = WorldSpec(
        languages=["fr", "ja", "en"],
        trained_languages=["fr", "ja"],
        pretrain_documents=200,
        vocabulary=500,
        hidden_size=32,
        layers=2,
        heads=2,
        key_value_heads=1,
        head_size=16,
        intermediate_size=64,
        items=2,
    )
    texts = [f"{d.question}\n{d.completion}" for d in documents.pretraining(world, 0)]
    made = tokenizer.train(texts, world.vocabulary)
    folder = tmp_path_factory.mktemp("models") / "random"
    save_model(initial_model(world, made, 0), made, folder)
    return folder


@pytest.fixture
def overrides(random_model, tmp_path):
    """Overrides that make any experiment a matter of seconds."""
    return [
        "scale=tiny",
        "world.languages=[fr,ja,en]",
        "world.trained_languages=[fr,ja]",
        "world.evaluated_languages=[fr,en]",
        f"model.path={random_model}",
        "pretrain.from_scratch=false",
        f"root={tmp_path / 'runs'}",
        "world.sft_examples_per_language=12",
        "world.validation_examples_per_language=2",
        "sft.sequences_per_step=8",
        "grpo.steps=4",
        "grpo.prompts_per_step=4",
        "grpo.completions_per_prompt=4",
        "grpo.prompts_per_language=9",
        "rollout.maximum_new_tokens=24",
        "evaluation.problems=3",
        "checkpoint.every_steps=2",
    ]
