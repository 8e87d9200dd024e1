"""What the user says, in each of 18 languages, and what chat templates of every kind make of it."""

import pytest

from src.data.chat import Chat, UnclearThinking, decode, question_text, thinking_of
from src.data.records import Question
from src.language.detector import Detector, DetectorSpec
from src.language.table import LANGUAGES
from src.language.trace import Split, split_trace
from src.models.spec import ModelSpec
from tests.helpers import tiny


def test_there_are_the_18_languages_of_the_benchmarks():
    assert len(LANGUAGES) == 18 and all(code == row.code for code, row in LANGUAGES.items())


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_lines_ask_for_a_box_in_their_own_language(code):
    row = LANGUAGES[code]
    detector = Detector(DetectorSpec(languages=list(LANGUAGES)))
    for line in (row.instruction, row.instruction_choice):
        assert line.count("\\boxed{}") == 1
    assert detector.detect(f"{row.instruction} {row.instruction_choice}".replace("\\boxed{}", "")) == code


def test_the_instruction_depends_on_the_kind_of_question():
    question = Question("1", "fr", "Combien ?", "3")
    assert question_text(question, "none") == "Combien ?"
    assert question_text(question, "localised") == LANGUAGES["fr"].instruction + "\n\nCombien ?"
    choice = Question("1", "fr", "Lequel ?", "B", kind="choice")
    assert question_text(choice, "localised") == LANGUAGES["fr"].instruction_choice + "\n\nLequel ?"


def world():
    from src.data.world.tokenizer import CHAT_TEMPLATE

    return CHAT_TEMPLATE


HI = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
SYSTEM = "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n"
EMPTY = "<think>\n\n</think>\n\n"
CASES = [  # template, model.think, template_think, resolved, the prompt of "Hi", what "t</think>5" teaches before the end token
    (tiny.DEEPSEEK, "auto", "template", "template", "<|begin|><|User|>Hi<|Assistant|><think>\n", "t</think>5"),
    (tiny.DEEPSEEK, "model", "template", "model", "<|begin|><|User|>Hi<|Assistant|>", "<think>\nt</think>5"),
    (tiny.DEEPSEEK, "none", "template", "none", "<|begin|><|User|>Hi<|Assistant|>", "t\n5"),
    (tiny.QWEN3, "auto", "model", "model", HI, "<think>\nt</think>5"),
    (tiny.QWEN3, "template", "model", "template", HI + "<think>\n", "t</think>5"),
    (tiny.QWEN3, "none", "model", "none", HI + EMPTY, "t\n5"),
    (tiny.QWEN2, "none", "none", "none", SYSTEM + HI, "t\n5"),
    (tiny.QWEN2, "model", "none", "model", SYSTEM + HI, "<think>\nt</think>5"),
    (world(), "auto", "template", "template", "<|user|>Hi<|assistant|><think>\n", "t</think>5"),
]


@pytest.mark.parametrize(("template", "think", "template_think", "resolved", "prompt", "target"), CASES)
def test_prompt_and_target_meet_where_sampling_begins(template, think, template_think, resolved, prompt, target):
    tokenizer = tiny.tokenizer(template)
    chat = Chat.of(tokenizer, "none", ModelSpec(think=think, thinks=think != "none"))
    assert (chat.template_think, chat.think) == (template_think, resolved)
    assert chat.text("Hi") == prompt
    question = Question("1", "en", "Hi", "5")
    assert decode(tokenizer, chat.prompt(question)) == prompt
    # Examples come with and without the opening tag and the end token; all teach the same tokens, then the end token, once.
    (end,) = tokenizer.convert_tokens_to_ids(["<|im_end|>" if "<|im_end|>" in template else "<|end|>"])
    for completion in ("t</think>5", "<think>\nt</think>5", "<think>t</think>5", "t</think>5<|end|>\n"):
        learned = chat.completion(completion)
        assert decode(tokenizer, learned[:-1]) == target
        assert learned.count(end) == 1 and learned[-1] == end == chat.end
    # SFT sees the prompt that is sampled from, then the target: no token lies across the border.
    whole = chat.prompt(question) + chat.completion("t</think>5")
    assert whole[: len(chat.prompt(question))] == chat.prompt(question)
    assert decode(tokenizer, whole[:-1]) == prompt + target


def test_a_tag_without_a_line_break_leaves_the_break_to_the_target():
    tokenizer = tiny.tokenizer(tiny.DEEPSEEK.replace("<think>\n", "<think>"))
    chat = Chat.of(tokenizer, "none", ModelSpec())
    assert chat.text("Hi").endswith("<|Assistant|><think>") and chat.target("t</think>5") == "\nt</think>5"


def test_a_template_without_thinking_needs_a_word_about_it():
    with pytest.raises(UnclearThinking, match=r"model.thinks=false, or model.think=model"):
        Chat.of(tiny.tokenizer(tiny.QWEN2), "none", ModelSpec())
    assert Chat.of(tiny.tokenizer(tiny.QWEN2), "none", ModelSpec(thinks=False)).think == "none"
    assert "model.thinks must be false where model.think is none" in " ".join(ModelSpec(think="none").violations())


def test_who_opens_the_thinking_is_read_off_the_template():
    templates = {"template": tiny.DEEPSEEK, "model": tiny.QWEN3, "none": tiny.QWEN2}
    assert {name: thinking_of(tiny.tokenizer(text)) for name, text in templates.items()} == {n: n for n in templates}


def test_completions_are_read_with_and_without_the_opening_tag():
    expected = Split("two and three", "\\boxed{5}", True)
    for opening in ("", "<think>", "<think>\n", "\n<think>\n"):
        assert split_trace(f"{opening}two and three\n</think>\n\n\\boxed{{5}}") == expected
    assert split_trace("<think>\ntwo and") == Split("two and", "", False)


def test_an_opened_completion_is_graded_and_judged_like_any_other():
    from src.grading.extract import extract
    from src.language.fidelity import measure_fidelity

    detector = Detector(DetectorSpec())
    trace = "Ensuite, nous ajoutons les deux nombres pour obtenir le total."
    for opening in ("", "<think>\n"):
        completion = f"{opening}{trace}\n</think>\n\n\\boxed{{5}}"
        assert extract(completion, "strict").answer == "5"
        fidelity = measure_fidelity(completion, "fr", detector)
        assert fidelity.in_language and fidelity.line_pass and fidelity.word_pass
