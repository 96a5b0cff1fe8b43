"""A tuned model in every form answers as it did before, and what does not fit is refused."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="the training extra is not installed")
transformers = pytest.importorskip("transformers", reason="the training extra is not installed")
peft = pytest.importorskip("peft", reason="the training extra is not installed")
gguf = pytest.importorskip("gguf", reason="the training extra is not installed")
pytest.importorskip("xllamacpp", reason="the embedded engine is not installed")

from tiny_models import dialog, sums, tiny_checkpoint, tiny_tokenizer, write_rows  # noqa: E402

from opencodeinterpreter.cli import chat, options, run  # noqa: E402
from opencodeinterpreter.cli.consoles import err_console  # noqa: E402
from opencodeinterpreter.cli.serving import open_hub  # noqa: E402
from opencodeinterpreter.cli.workbench import open_model  # noqa: E402
from opencodeinterpreter.config import load_config  # noqa: E402
from opencodeinterpreter.dialog import Dialog  # noqa: E402
from opencodeinterpreter.errors import ConfigError, InputError, ModelFileError  # noqa: E402
from opencodeinterpreter.models import Generation, load_model  # noqa: E402
from opencodeinterpreter.training.agreement import agreement  # noqa: E402
from opencodeinterpreter.training.base_model import find_base, tokenizer_of, weights_of  # noqa: E402
from opencodeinterpreter.training.exporting import export  # noqa: E402
from opencodeinterpreter.training.preparing import prepare  # noqa: E402
from opencodeinterpreter.training.recipe import DataRecipe, LoraRecipe, Recipe  # noqa: E402
from opencodeinterpreter.training.running import train  # noqa: E402
from opencodeinterpreter.training.watching import NoProgress  # noqa: E402

pytestmark = [
    pytest.mark.transformers,
    # Remarks of torch and transformers about themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


def trained(folder: Path, **more: Any) -> Recipe:
    rows = write_rows(folder / "rows.jsonl", sums(10))
    settings: dict[str, Any] = {
        "model": str(folder / "tiny"), "output": str(folder / "out"), "data": DataRecipe((str(rows),), held_out=0),
        "epochs": 30.0, "max_tokens": 256, "batch_size": 10, "micro_batch_size": 10, "learning_rate": 1e-2,
        "dtype": "float32", "save_steps": 1000, **more,
    }  # fmt: skip
    return Recipe(**settings)


def answers(name: str, dialogs: list[Dialog], **more: Any) -> list[str]:
    model = load_model(name, context_tokens=512, **more)
    found = []
    for each in dialogs:
        with model.stream(each.messages[:1], Generation(max_tokens=24)) as reply:
            found.append("".join(reply))
    model.close()
    return found


def tensors(path: Path) -> dict[str, tuple[str, int]]:
    """Return the kind and the bytes of each weight of a file."""
    return {each.name: (each.tensor_type.name, int(each.n_bytes)) for each in gguf.GGUFReader(path).tensors}


@pytest.mark.parametrize(("family", "tied"), [("chatml", True), ("llama3", False), ("gemma", True)])
def test_an_adapter_answers_the_same_in_every_form(tmp_path: Path, family: str, tied: bool) -> None:
    """Qwen2; Llama, whose queries and keys are kept in another order; Gemma, whose norms are."""
    # An adapter brings no template: that of its base is used.
    template = _template(tiny_tokenizer(family), family)
    tiny_checkpoint(tmp_path / "tiny", family, template, tie_word_embeddings=tied, initializer_range=0.2)
    recipe = trained(tmp_path, method="lora", lora=LoraRecipe(rank=32, alpha=64), epochs=60.0)
    assert train(prepare(recipe), NoProgress()).losses[-1][1] < 0.5
    kept = {path.name: path for path in (tmp_path / "out" / "model").iterdir()}
    assert "training_args.bin" not in kept
    assert json.loads(kept["adapter_config.json"].read_text())["base_model_name_or_path"] == recipe.model
    asked = sums(10)[:4]
    untuned = export(str(tmp_path / "tiny"), "gguf", "f32", tmp_path / "base.gguf", check=False)
    whole = export(recipe.output, "folder")
    file = export(recipe.output, "gguf", "f32")
    small = export(recipe.output, "gguf", "q8_0")
    adapter = export(recipe.output, "adapter")
    assert file.check is not None
    assert (file.check.prompts, file.check.same_next) == (3, 3)
    assert file.path == tmp_path / "out" / "out-f32.gguf"
    assert small.path.stat().st_size < 0.5 * file.path.stat().st_size
    expected = answers(str(whole.path), asked)
    assert all(each.startswith("the answer is") for each in expected), "it has learned something"
    assert answers(str(file.path), asked) == expected
    assert answers(str(untuned.path), asked, adapters=[adapter.path]) == expected
    assert answers(str(untuned.path), asked) != expected
    flags = options.flags(model=str(untuned.path), adapter=[adapter.path], context="512", max_tokens="100")
    with (
        closing(open_model(load_config(flags, {}), err_console())) as opened,
        opened.stream(asked[0].messages[:1], Generation(max_tokens=24)) as reply,
    ):
        assert "".join(reply) == expected[0], "as ocint chat --adapter FILE opens it"
    with (
        open_hub(load_config(flags, {"OCINT_SESSIONS_FOLDER": str(tmp_path)}), err_console()) as hub,
        hub.shelf.for_session(str(untuned.path)).stream(asked[0].messages[:1], Generation(max_tokens=24)) as reply,
    ):
        assert "".join(reply) == expected[0], "as ocint web --adapter FILE opens it"
    again = export(str(whole.path), "gguf", "f32", tmp_path / "again.gguf")
    assert tensors(again.path) == tensors(file.path)


def test_an_adapter_for_a_model_that_takes_none_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()
    for command in (run, chat):
        command.add_to(app)
    (tmp_path / "config.toml").touch()
    monkeypatch.setenv("OCINT_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("OCINT_SESSIONS_FOLDER", str(tmp_path / "sessions"))
    words = ["-m", "openai:x", "--adapter", "one.gguf", "--adapter", "two.gguf"]
    for line in (["run", "Hello.", *words], ["chat", *words]):
        with pytest.raises(ConfigError, match="openai:x takes no adapters: they are for the embedded engine"):
            CliRunner().invoke(app, line, catch_exceptions=False, standalone_mode=False)


@pytest.mark.parametrize("family", ["llama3", "codellama", "plain"])
def test_tokens_are_the_same_in_the_engine_for_other_vocabularies(tmp_path: Path, family: str) -> None:
    tokenizer = tiny_tokenizer(family)
    tiny_checkpoint(tmp_path / "tiny", family, _template(tokenizer, family))
    found = export(str(tmp_path / "tiny"), "gguf", "f16", tmp_path / "it.gguf")
    assert found.check is not None
    assert found.check.same_next == 3


STRETCHED = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64, "rope_theta": 10000.0,
}  # fmt: skip
"""Positions as Llama 3.1 scales them, from so short a context that it shows in a few tokens."""


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("starcoder2", {"tie_word_embeddings": True}),
        ("starcoder2", {"tie_word_embeddings": False}),
        ("gemma", {"tie_word_embeddings": True}),
        ("llama3", {"rope_parameters": STRETCHED}),
    ],
)
def test_other_kinds_foretell_the_same_in_the_engine(tmp_path: Path, family: str, more: dict[str, Any]) -> None:
    tiny_checkpoint(tmp_path / "tiny", family, _template(tiny_tokenizer(family), family), initializer_range=0.2, **more)
    torch.manual_seed(5)
    with torch.no_grad():
        model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "tiny")
        for weight in model.parameters():
            if weight.ndim == 1:  # norms and biases are ones and zeros at first, and would hide mistakes
                weight += 0.3 * torch.randn_like(weight)
        model.save_pretrained(tmp_path / "tiny")
    found = export(str(tmp_path / "tiny"), "gguf", "f32", tmp_path / "it.gguf")
    assert found.check is not None
    assert (found.check.prompts, found.check.same_next) == (3, 3)
    assert found.check.difference < 0.05


def _template(tokenizer: Any, family: str) -> str:
    from opencodeinterpreter.training.templates import chat_for

    return chat_for(tokenizer, "llama", family).template


def test_a_file_that_differs_is_found_out_and_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opencodeinterpreter.training import gguf_writing

    tiny_checkpoint(tmp_path / "tiny", "deepseek-coder", _template(tiny_tokenizer("deepseek-coder"), "deepseek-coder"))
    # The mistake that a converter makes most easily.
    monkeypatch.setattr(gguf_writing, "engine_weight", lambda key, array, config: -array if "q_proj" in key else array)
    with torch.no_grad():
        model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "tiny")
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight *= 60
            layer.self_attn.o_proj.weight *= 60
        model.lm_head.weight *= 30
        model.save_pretrained(tmp_path / "tiny")
    with pytest.raises(InputError, match="does not foretell what the model foretells"):
        export(str(tmp_path / "tiny"), "gguf", "f16", tmp_path / "it.gguf")
    assert not (tmp_path / "it.gguf").exists()


@pytest.mark.parametrize("kind", ["q4_k_m", "q5_k_m", "q6_k", "q8_0"])
def test_weights_in_few_bits_are_near_what_they_were(kind: str) -> None:
    import numpy

    from opencodeinterpreter.training.gguf_quantising import kind_for, quantised

    weights = numpy.random.default_rng(4).normal(size=(8, 512)).astype(numpy.float32)
    chosen = kind_for(kind, "blk.3.attn_q.weight", 512, 3, 24)
    back = gguf.quants.dequantize(quantised(weights, chosen), chosen)
    bits = {"q4_k_m": 0.15, "q5_k_m": 0.07, "q6_k": 0.04, "q8_0": 0.01}
    assert float(numpy.sqrt(numpy.mean((back - weights) ** 2))) < bits[kind]
    assert kind_for(kind, "blk.3.attn_q.weight", 896, 3, 24).name in {"Q5_0", "Q5_1", "Q8_0"}


def test_what_cannot_be_exported_is_one_clear_sentence(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "tiny")
    tiny_checkpoint(tmp_path / "other", hidden_size=32)
    tiny_checkpoint(tmp_path / "untied", "gemma", tie_word_embeddings=False)
    config = tiny_checkpoint(tmp_path / "mistral", "llama3") / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "model_type": "mistral"}))
    tiny_checkpoint(tmp_path / "yarn", rope_parameters={"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4})
    recipe = trained(tmp_path, method="lora", max_steps=1)
    train(prepare(recipe), NoProgress())
    cases = {
        "is for another model than .*other: .* is of size": (recipe.output, {"base": str(tmp_path / "other")}),
        "models of the kind mistral cannot be written as GGUF here": (str(tmp_path / "mistral"), {}),
        "positions scaled by yarn cannot be written": (str(tmp_path / "yarn"), {}),
        "a Gemma model with a matrix of its own for its output": (str(tmp_path / "untied"), {}),
        "is a whole model, not an adapter": (str(tmp_path / "tiny"), {"form": "adapter"}),
        "no type 'q4_km' of weights: did you mean q4_k_m": (recipe.output, {"kind": "q4_km"}),
        "no form 'guff' to export: did you mean gguf": (recipe.output, {"form": "guff"}),
        "is there already: name another place": (recipe.output, {"out": tmp_path / "rows.jsonl"}),
    }
    for sentence, (name, more) in cases.items():
        with pytest.raises(InputError, match=sentence):
            export(name, **more)
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "run.json").write_text("{}")
    with pytest.raises(InputError, match="is not finished: ocint train run goes on with it"):
        export(str(tmp_path / "begun"))
    strange = tmp_path / "out" / "model" / "ocint.json"
    strange.write_text(json.dumps({**json.loads(strange.read_text()), "sha256": "0" * 64}))
    with pytest.raises(InputError, match="is no longer the file that the adapter"):
        export(recipe.output)


@pytest.mark.parametrize(
    ("form", "kind", "bytes_a_weight"),
    [("gguf", "f32", 4), ("gguf", "f16", 2), ("gguf", "q8_0", 1.1), ("gguf", "q4_k_m", 1.1), ("folder", "q8_0", 2)],
)
def test_too_little_disk_space_is_said_before_a_weight_is_loaded(
    tmp_path: Path, form: str, kind: str, bytes_a_weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_checkpoint(tmp_path / "tiny")
    (folder / "model.safetensors").rename(tmp_path / "weights")
    weights = _count(tmp_path / "weights")
    free = type("Usage", (), {"free": int(weights * bytes_a_weight) - 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: free)
    with pytest.raises(InputError, match=r"it\.gguf needs about 0\.0 GB of disk space and 0\.0 GB are free"):
        export(str(folder), form, kind, tmp_path / "it.gguf")
    free.free += 2000
    with pytest.raises(ModelFileError, match="cannot be used"):
        export(str(folder), form, kind, tmp_path / "it.gguf")


def test_too_little_memory_is_said_before_a_weight_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_checkpoint(tmp_path / "tiny")
    recipe = trained(tmp_path, method="lora", max_steps=1)
    train(prepare(recipe), NoProgress())
    (tmp_path / "tiny" / "model.safetensors").rename(tmp_path / "weights")
    memory = type("Memory", (), {"available": 4 * _count(tmp_path / "weights") - 1000})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    for form in ("gguf", "folder"):
        with pytest.raises(InputError, match=r"needs about 0\.0 GB of memory and 0\.0 GB are free: .* --form adapter"):
            export(recipe.output, form)
    assert export(recipe.output, "adapter").path.is_file(), "for it no weights of the base are needed"
    memory.available += 2000
    with pytest.raises(ModelFileError, match="cannot be used"):
        export(recipe.output, "gguf")


def _count(weights: Path) -> int:
    from safetensors.torch import load_file

    return sum(each.numel() for each in load_file(weights).values())


@pytest.mark.parametrize(("family", "width"), [("chatml", 256), ("llama3", 512)])
def test_a_whole_file_of_k_kinds_is_written_opened_and_compared(tmp_path: Path, family: str, width: int) -> None:
    """Wide enough for blocks of 256 weights, in every matrix."""
    template = _template(tiny_tokenizer(family), family)
    sizes = {"hidden_size": width, "intermediate_size": 512, "num_hidden_layers": 8}
    tiny_checkpoint(tmp_path / "tiny", family, template, initializer_range=width**-0.5, **sizes)
    found = export(str(tmp_path / "tiny"), "gguf", "q4_k_m", tmp_path / "it.gguf")
    assert found.check is not None
    # Few bits change the model on purpose; what the engine makes of them must be what they say.
    said = weights_of(find_base(str(found.path)), dtype=torch.float32).eval()
    again = agreement(found.path, said, tokenizer_of(find_base(str(tmp_path / "tiny"))), "q4_k_m")
    assert (again.prompts, again.same_next) == (3, 3)
    assert again.difference < 0.3
    kinds = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(found.path).tensors}
    assert {kind for name, kind in kinds.items() if "norm" not in name and "bias" not in name} == {"Q4_K", "Q6_K"}
    assert kinds["output.weight"] == kinds["token_embd.weight"] == "Q6_K"
    whole = export(str(tmp_path / "tiny"), "gguf", "f32", tmp_path / "whole.gguf", check=False)
    assert found.path.stat().st_size < 0.25 * whole.path.stat().st_size
    assert len(answers(str(found.path), sums(1))) == 1


def test_a_dialog_of_several_turns_is_asked_the_same_way(tmp_path: Path) -> None:
    """The engine's own chat path, which ``ocint run`` uses, shows the model what it was trained on."""
    from opencodeinterpreter.training.templates import tokens_of

    tokenizer = tiny_tokenizer("deepseek-coder")
    tiny_checkpoint(tmp_path / "tiny", "deepseek-coder", _template(tokenizer, "deepseek-coder"))
    file = export(str(tmp_path / "tiny"), "gguf", "f16", tmp_path / "it.gguf")
    talk = dialog("Add 1.", "```python\nprint(1)\n```", "Execution result: \n1")
    model = load_model(str(file.path), context_tokens=512)
    text = tokenizer.apply_chat_template(
        [each.to_json() for each in talk], chat_template=_template(tokenizer, "deepseek-coder"), tokenize=False,
        add_generation_prompt=True,
    )  # fmt: skip
    assert model.count_tokens(talk.messages) == len(tokens_of(tokenizer, text))
    model.close()
