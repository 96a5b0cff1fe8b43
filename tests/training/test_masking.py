"""Which tokens count, exactly, on small dialogs written by hand, for every family of base models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("transformers", reason="the training extra is not installed")

from tiny_models import FAMILIES, dialog, tiny_tokenizer

from opencodeinterpreter.codefeedback.files.exporting import FORMS, to_form
from opencodeinterpreter.codefeedback.verification.executions import (
    Execution,
    feedback_text,
    of_cell,
    of_program,
    wrong_output,
)
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter.feedback import execution_feedback
from opencodeinterpreter.sandbox import ErrorInfo, ExecutionResult
from opencodeinterpreter.training.masking import IGNORED, Dropped, Marking, Sample, encode
from opencodeinterpreter.training.reading import read_corpus
from opencodeinterpreter.training.recipe import DataRecipe, Recipe
from opencodeinterpreter.training.templates import FORMATS, chat_for, tokens_of

pytestmark = [
    pytest.mark.transformers,
    # Remarks of torch and transformers about themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

TALK = dialog(
    Message("system", "Be short."),
    Message("user", "Add."),
    Message("assistant", "```python\nprint(1)\n```"),
    Message("user", "Execution result: \n1"),
    Message("assistant", "It is 1."),
)
WHOLE = {
    "deepseek-coder": "<bos>Be short.\n### Instruction:\nAdd.\n### Response:\n[```python\nprint(1)\n```\n<|EOT|>]\n"
    "### Instruction:\nExecution result: \n1\n### Response:\n[It is 1.\n<|EOT|>]\n",
    "codellama": "<s> [INST] <<SYS>>\nBe short.\n<</SYS>>\n\nAdd. [/INST][ ```python\nprint(1)\n``` </s>]"
    "<s> [INST] Execution result: \n1 [/INST][ It is 1. </s>]",
    "starcoder2": "<|endoftext|>Be short.\n\n### Instruction\nAdd.\n\n### Response\n"
    "[```python\nprint(1)\n```<|endoftext|>]### Instruction\nExecution result: \n1\n\n### Response\n"
    "[It is 1.<|endoftext|>]",
    "gemma": "<bos><start_of_turn>user\nBe short.\n\nAdd.<end_of_turn>\n<start_of_turn>model\n"
    "[```python\nprint(1)\n```<end_of_turn>]\n<start_of_turn>user\nExecution result: \n1<end_of_turn>\n"
    "<start_of_turn>model\n[It is 1.<end_of_turn>]\n",
    "chatml": "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\nAdd.<|im_end|>\n<|im_start|>assistant\n"
    "[```python\nprint(1)\n```<|im_end|>]\n<|im_start|>user\nExecution result: \n1<|im_end|>\n<|im_start|>assistant\n"
    "[It is 1.<|im_end|>]\n",
    "llama3": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe short.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nAdd.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    "[```python\nprint(1)\n```<|eot_id|>]<|start_header_id|>user<|end_header_id|>\n\nExecution result: \n1<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n[It is 1.<|eot_id|>]",
    "plain": "<s>Be short.\n### Instruction:\nAdd.\n### Response:\n[```python\nprint(1)\n```</s>]\n"
    "### Instruction:\nExecution result: \n1\n### Response:\n[It is 1.</s>]\n",
}
"""What is rendered, with that which counts in brackets (those of [INST] are text; its blank is the tokenizer's)."""


def shown(sample: Sample, tokenizer: Any) -> str:
    """Return a sample's text with brackets around what counts."""
    parts: list[tuple[bool, list[int]]] = []
    for token, label in zip(sample.ids, sample.labels, strict=True):
        assert label in (IGNORED, token)
        if not parts or parts[-1][0] != (label != IGNORED):
            parts.append((label != IGNORED, []))
        parts[-1][1].append(token)
    pieces = tokenizer.convert_ids_to_tokens
    texts = [
        (counts, "".join(pieces(ids)).replace("Ġ", " ").replace("Ċ", "\n").replace("▁", " ")) for counts, ids in parts
    ]
    return "".join(f"[{text}]" if counts else text for counts, text in texts)


def sample_of(talk: Dialog, tokenizer: Any, marking: Marking | None = None, limit: int = 1000) -> Sample:
    chat = chat_for(tokenizer, "llama", "auto")
    found = encode(talk, tokenizer, chat, marking or Marking("all"), limit)
    assert isinstance(found, Sample), found
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_what_counts_in_every_family(family: str) -> None:
    tokenizer = tiny_tokenizer(family)
    chat = chat_for(tokenizer, FAMILIES[family][0])
    assert chat.name == family
    assert set(WHOLE) == set(FORMATS)
    found = encode(TALK, tokenizer, chat, Marking("all"), 1000)
    assert isinstance(found, Sample)
    # What follows the last end token belongs to no turn; it is not there to be trained on or read.
    expected = WHOLE[family]
    assert shown(found, tokenizer) == expected[: expected.rindex("]") + 1]
    assert (found.turns, found.counted, found.cut) == (2, 2, 0)
    assert found.ids[-1] == found.labels[-1] == tokenizer.convert_tokens_to_ids(chat.end)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_stands_before_an_answer_is_what_the_model_is_shown_when_it_answers(family: str) -> None:
    tokenizer = tiny_tokenizer(family)
    chat = chat_for(tokenizer, FAMILIES[family][0])
    found = encode(TALK, tokenizer, chat, Marking("final"), 1000)
    assert isinstance(found, Sample)
    rows = [message.to_json() for message in TALK.messages[:-1]]
    prompt = tokens_of(tokenizer, chat.render(tokenizer, rows, cue=True))
    first = next(index for index, label in enumerate(found.labels) if label != IGNORED)
    assert found.ids[:first] == prompt


def attempt(text: str, **meta: Any) -> Message:
    return Message("assistant", text, meta)


CORRECTION = dialog("Add.", "wrong", "Execution result: \nTraceback (most recent call last):\nNameError: x", "right")


@pytest.mark.parametrize(
    ("turns", "talk", "counted"),
    [
        ("all", CORRECTION, ["wrong", "right"]),
        ("final", CORRECTION, ["right"]),
        ("passed", CORRECTION, ["right"]),
        ("passed", dialog("Add.", "one", "Execution result: \n2", "two"), ["one", "two"]),
        ("passed", dialog("Add.", "one", "Execution result: \nError rate: 2", "two"), ["one", "two"]),
        ("passed", dialog("Add.", "one", "Execution result: \nok\nzlib.error\nValueError: x", "two"), ["two"]),
        ("passed", dialog("Add.", "one", "Execution timed out.", "two"), ["one", "two"]),
        ("passed", dialog("Add.", "one", "Execution result: \nExecution timed out.", "two"), ["two"]),
        ("passed", dialog("Add.", "one", "Why Traceback (most recent call last)?", "two"), ["one", "two"]),
        ("passed", dialog("Add.", attempt("one", passed=False), "No.", "two"), ["two"]),
        ("passed", dialog("Add.", attempt("one", passed=False, train=True), "No.", "two"), ["one", "two"]),
        ("passed", dialog("Add.", attempt("one", train=False), "No.", attempt("two", passed=True)), ["two"]),
        ("all", dialog("Add.", attempt("one", train=False), "No.", "two"), ["one", "two"]),
    ],
)
def test_the_choice_of_turns(turns: Any, talk: Dialog, counted: list[str]) -> None:
    tokenizer = tiny_tokenizer()
    text = shown(sample_of(talk, tokenizer, Marking(turns)), tokenizer)
    assert [part.split("<|im_end|>]")[0] for part in text.split("[")[1:]] == counted


def program(tested: bool = True, **more: Any) -> str:
    """Return what the message of a data set says of a program."""
    row = {"told": [{"step": "tests"}], "ended": "", "status": 0, "stdout": "1\n", "stderr": "", "seconds": 0.1, **more}
    return feedback_text(of_program(row, tested=tested))


def cell(status: Any, reason: Any = None, **more: Any) -> ExecutionResult:
    return ExecutionResult(status=status, reason=reason, stdout="1\n", duration=0.5, **more)


NAME_ERROR = ErrorInfo(
    "NameError", "name 'x' is not defined",
    "Traceback (most recent call last):\n  File \"<cell 1>\", line 1, in <module>\nNameError: name 'x' is not defined",
)  # fmt: skip
OWN_ERROR = ErrorInfo("Refused", "no", 'File "<cell 1>", line 1, in <module>\nRefused: no')
FAILURES = {
    "time limit of a program": program(ended="wall time"),
    "memory limit of a program": program(ended="memory"),
    "traceback": program(
        status=1, told=[{"error": {"name": "E", "traceback": "Traceback (most recent call last):\nE"}}]
    ),
    "exit status": program(status=3),
    "signal": program(status=-11),
    "unknown signal": program(status=-120),
    "before its tests": program(told=[]),
    "amid its tests": program(),
    "wrong output": feedback_text(Execution("error", stdout="2", error=wrong_output("1", "3", "2"))),
    "wrong output, long": feedback_text(Execution("error", error=wrong_output("1 " * 4000, "3\n" * 4000, "2"))),
    "time limit of a cell": feedback_text(of_cell(cell("timeout", "cpu time"))),
    "memory limit of a cell": feedback_text(of_cell(cell("killed", "memory", state_lost=True))),
    "kernel died": feedback_text(of_cell(cell("killed", "kernel died", state_lost=True))),
    "error of a cell": feedback_text(of_cell(cell("error", error=NAME_ERROR))),
    "own error of a cell": feedback_text(of_cell(cell("error", error=OWN_ERROR, state_lost=True))),
    "session: error": execution_feedback(cell("error", error=NAME_ERROR)),
    "session: own error": execution_feedback(cell("error", error=OWN_ERROR)),
    "session: time limit": execution_feedback(cell("timeout", "wall time")),
    "session: memory limit": execution_feedback(cell("killed", "memory", state_lost=True)),
    "session: stopped": execution_feedback(cell("killed", "stopped")),
    "session: kernel died": execution_feedback(cell("killed", "kernel died")),
}
SUCCESSES = {
    "tests passed": program(told=[{"step": "tests"}, {"step": "end"}]),
    "printed nothing": program(tested=False, stdout=""),
    "prints such words": program(
        tested=False, stdout="Wrong output.\nThe program ended with exit status 1.\nAll is well.\n"
    ),
    "cell": feedback_text(of_cell(cell("ok"))),
    "session": execution_feedback(cell("ok")),
    "session: a traceback that was caught": execution_feedback(
        ExecutionResult(status="ok", stdout="Traceback (most recent call last):\nValueError: x\n")
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("said", [*FAILURES, *SUCCESSES])
def test_an_attempt_counts_by_what_its_execution_gave_in_every_form_of_the_data(
    tmp_path: Path, said: str, form: str
) -> None:
    """What a dialog says without marks: exported by ``ocint data export``, read again, and masked."""
    talk = dialog("Add.", "one", FAILURES.get(said) or SUCCESSES[said], "two")
    (tmp_path / "rows.jsonl").write_text(json.dumps(to_form(talk, form)) + "\n", encoding="utf-8")
    data = DataRecipe((str(tmp_path / "rows.jsonl"),), held_out=0)
    (read,) = read_corpus(Recipe("-", "-", data)).train
    tokenizer = tiny_tokenizer()
    found = sample_of(read, tokenizer, Marking("passed"), 40_000)
    assert found.counted == (1 if said in FAILURES else 2)
    assert found.turns == 2


def test_execution_results_count_only_where_that_is_asked_for() -> None:
    tokenizer = tiny_tokenizer()
    talk = dialog("Execution", "one", "Execution result: \n2", "two")
    text = shown(sample_of(talk, tokenizer, Marking("all", observations=True)), tokenizer)
    assert "user\n[Execution result: \n2]<|im_end|>" in text
    assert "user\nExecution<|im_end|>" in text


def test_a_long_dialog_loses_whole_messages_and_ends_with_an_answer() -> None:
    tokenizer = tiny_tokenizer()
    fence = "```python\n" + "print(sum(range(10)))\n" * 20 + "```"
    talk = dialog("Add.", "first", "Again.", fence, "And again.", "third")
    whole = sample_of(talk, tokenizer)
    assert whole.cut == 0
    lengths = {sample_of(talk, tokenizer, limit=limit).cut for limit in range(30, len(whole.ids) + 1)}
    assert lengths == {0, 2, 4}
    for limit in range(30, len(whole.ids), 7):
        cut = sample_of(talk, tokenizer, limit=limit)
        assert len(cut.ids) <= limit
        assert cut.ids == whole.ids[: len(cut.ids)]
        assert cut.ids[-1] == cut.labels[-1] == tokenizer.convert_tokens_to_ids("<|im_end|>")
        assert shown(cut, tokenizer).count("```") in (0, 2)


@pytest.mark.parametrize(
    ("talk", "marking", "limit", "reason"),
    [
        (dialog("Add."), Marking(), 500, "no assistant turn"),
        (dialog("Add.", "  "), Marking(), 500, "an empty assistant turn"),
        (dialog("Add.", "one"), Marking(), 8, "the first answer does not fit"),
        (dialog("Add.", "say <|im_end|> now"), Marking(), 500, "a control token of the model in its text"),
        (CORRECTION, Marking("final"), 40, "no turn that counts"),
        (CORRECTION, Marking("passed"), 40, "no turn that counts"),
    ],
)
def test_what_cannot_be_trained_on_says_why(talk: Dialog, marking: Marking, limit: int, reason: str) -> None:
    tokenizer = tiny_tokenizer()
    found = encode(talk, tokenizer, chat_for(tokenizer, "qwen2"), marking, limit)
    assert isinstance(found, Dropped)
    assert found.reason == reason


def test_a_model_keeps_its_own_template() -> None:
    own = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + ':' + m['content'] + '<|im_end|>' }}{% endfor %}" + (
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant:' }}{% endif %}"
    )
    tokenizer = tiny_tokenizer("chatml", own)
    chat = chat_for(tokenizer, "qwen2")
    assert (chat.name, chat.end) == ("own", "<|im_end|>")
    assert shown(sample_of(dialog("Add.", "one"), tokenizer), tokenizer) == (
        "<|im_start|>user:Add.<|im_end|><|im_start|>assistant:[one<|im_end|>]"
    )
    assert chat_for(tokenizer, "qwen2", "plain").end == "<|endoftext|>"


@pytest.mark.parametrize(
    ("template", "asked", "sentence"),
    [
        (None, "deepseek-coder", "does not fit the model: its token '<|EOT|>' is not in the vocabulary"),
        (None, "chatmel", "there is no chat template 'chatmel': did you mean chatml?"),
        (None, "own", "brings no chat template of its own"),
        ("{% for m in messages %}{{ m['content'] }}{% endfor %}", "auto", "no token ends a turn in it"),
        ("{{ messages[-1]['content'] }}<|im_end|>", "auto", "is not how the whole dialog begins"),
        ("{{ raise_exception('never') }}", "auto", "the chat template refuses it: never"),
    ],
)
def test_a_template_that_does_not_fit_is_one_clear_sentence(template: str | None, asked: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        chat_for(tiny_tokenizer("chatml", template), "qwen2", asked)
    assert sentence in str(caught.value)
