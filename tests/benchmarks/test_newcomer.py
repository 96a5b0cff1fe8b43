"""The way of a newcomer: its steps are those of the page, each is looked at, and the way is gone here in small."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import newcomer
from benchmarks.newcomer import CHECKS, METHODS, Done, Left, check_of, commands, table, walk
from opencodeinterpreter.errors import InputError

sys.path.append(str(Path(__file__).parents[1] / "training"))  # for its tiny models

RECIPE = """\
model: ./tiny
output: build/mine
data: {dialogs: [rows.jsonl], held_out: 2}
max_tokens: 256
batch_size: 4
epochs: 4
learning_rate: 1e-2
"""


def test_every_command_of_the_page_is_one_that_is_looked_at() -> None:
    steps = commands()
    assert [check_of(step) for step in steps] == list(CHECKS.values())
    assert steps[0] == "ocint data build examples/code-feedback/recipe.yaml"


def rows(folder: Path, methods: set[str]) -> None:
    (folder / "build" / "it").mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"messages": [], "method": method}) for method in sorted(methods)]
    (folder / "build" / "it" / "it.messages.jsonl").write_text("\n".join(lines), encoding="utf-8")


def test_what_is_missing_is_found_out(tmp_path: Path) -> None:
    assert len(METHODS) == 5
    rows(tmp_path, set(METHODS))
    assert "1 correction" in newcomer.check_data(Left(tmp_path, "", ""))
    rows(tmp_path, set(METHODS - {"similar"}))
    for check, said, sentence in [
        (newcomer.check_data, "", "no dialog is by similar"),
        (newcomer.check_preview, "text", "nothing counts"),
        (newcomer.check_dry_run, "text", "must only estimate"),
        (newcomer.check_run, "build/it/model", "the loss must fall"),
        (newcomer.check_export, "none.gguf", "no file that was checked"),
        (newcomer.check_chat, " \n", "said nothing"),
    ]:
        with pytest.raises(InputError, match=sentence):
            check(Left(tmp_path, said, ""))


def test_the_table_says_whether_an_hour_was_enough() -> None:
    assert table([Done("ocint chat", 60.0, "'Hello'")]).endswith("| all | 60 | within an hour |")
    assert table([Done("ocint chat", 3700.0, "'Hello'")]).endswith("| all | 3700 | more than an hour |")


@pytest.mark.slow
@pytest.mark.transformers
@pytest.mark.timeout(900)
def test_the_way_from_a_recipe_to_an_answer_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # a tiny model gains nothing from more
    pytest.importorskip("torch", reason="the training extra is not installed")
    pytest.importorskip("peft", reason="the training extra is not installed")
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed")
    from tiny_models import sums, tiny_checkpoint, tiny_tokenizer, write_rows

    from opencodeinterpreter.training.templates import chat_for

    template = chat_for(tiny_tokenizer(), "qwen2", "chatml").template
    tiny_checkpoint(tmp_path / "tiny", "chatml", template, max_position_embeddings=4096)
    write_rows(tmp_path / "rows.jsonl", sums(12))
    (tmp_path / "mine.yaml").write_text(RECIPE + "method: lora\n", encoding="utf-8")
    steps = [
        "ocint train preview mine.yaml",
        "ocint train run mine.yaml --dry-run",
        "ocint train run mine.yaml",
        "ocint export build/mine --type f16",
        "ocint chat -m build/mine/mine-f16.gguf --context 4096 --max-tokens 40",
    ]
    done = walk(steps[:2], tmp_path, 200)
    assert walk(steps[:2], tmp_path, 0) == done, "what is done is not done again"
    done = walk(steps, tmp_path, 200)
    assert [each.command for each in done] == steps
    assert done[3].left.startswith("mine-f16.gguf, ")
