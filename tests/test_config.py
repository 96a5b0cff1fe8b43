from __future__ import annotations

from pathlib import Path

import pytest

from opencodeinterpreter.config import (
    SETTINGS,
    Config,
    config_path,
    debug,
    load_config,
    model_settings,
    read_terminal,
)
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.sandbox.base import Limits


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def load(file: Path, text: str = "", flags: dict[str, object] | None = None, **environ: str) -> Config:
    file.write_text(text)
    return load_config(flags, {"OCINT_CONFIG": str(file), **environ})


def refusal(file: Path, text: str | bytes = "", flags: dict[str, object] | None = None, **environ: str) -> str:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load_config(flags, {"OCINT_CONFIG": str(file), **environ})
    return str(caught.value)


def test_defaults_are_those_of_the_design(file: Path) -> None:
    config = load(file)
    assert config == Config()
    assert config.limits == Limits()
    assert (config.context, config.max_tokens, config.temperature, config.max_rounds) == (8192, 1024, 0.0, 5)
    assert (config.backend, config.network, config.approve) == ("bubblewrap", False, False)
    assert set(config.sources.values()) == {"default"}
    assert dict(config.items()).keys() == SETTINGS.keys()


def test_the_order_is_defaults_file_environment_flags(file: Path) -> None:
    text = "max_rounds = 2\ncontext = 4096\nseed = 7\n[limits]\nmemory_mb = 100\nwall_seconds = 5"
    config = load(
        file, text, {"max_rounds": "4"}, OCINT_MAX_ROUNDS="3", OCINT_CONTEXT="2048", OCINT_LIMITS_MEMORY_MB="200"
    )
    assert (config.max_rounds, config.context, config.seed) == (4, 2048, 7)
    assert config.limits == Limits(memory_mb=200, wall_seconds=5.0)
    assert config.sources["max_rounds"] == "--max-rounds"
    assert config.sources["context"] == "OCINT_CONTEXT"
    assert config.sources["seed"] == str(file)
    assert config.sources["limits.memory_mb"] == "OCINT_LIMITS_MEMORY_MB"
    assert config.sources["temperature"] == "default"


def test_none_is_not_the_same_as_not_given(file: Path) -> None:
    text = "seed = 7\n[limits]\nwall_seconds = 'none'"
    assert load(file, text).limits.wall_seconds is None
    assert load(file, text, {"seed": "none"}).seed is None
    assert load(file, text, {}).seed == 7


@pytest.mark.parametrize("word", ["true", "1", "yes", "ON", " True "])
def test_yes_in_words(file: Path, word: str) -> None:
    assert load(file, OCINT_NETWORK=word).network is True


def test_paths_may_begin_at_home(file: Path) -> None:
    assert load(file, "python = '~/venv'").python == Path.home() / "venv"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = b", "is not valid TOML: Invalid value (at line 1, column 5)"),
        (b"\xff\xfe", "is not text in UTF-8 (byte 0)"),
        (b"\0\1\2", "is not valid TOML"),
        ("model = 3", "model must be text, not 3"),
        ("model = ''", 'model must be text, not ""'),
        ("max_rounds = 0", "max_rounds must be a whole number of at least 1, not 0"),
        ("max_rounds = 2.5", "max_rounds must be a whole number of at least 1, not 2.5"),
        ("max_rounds = true", "max_rounds must be a whole number of at least 1, not true"),
        ("temperature = -1", "temperature must be a number of at least 0, not -1"),
        ("temperature = nan", "temperature must be a number of at least 0, not NaN"),
        ("network = 1", "network must be true or false, not 1"),
        ("network = 'false'", 'network must be true or false, not "false"'),
        ("backend = 'none '", "backend must be one of bubblewrap, docker, none, ray, not"),
        ("backend = false", "backend must be one of bubblewrap, docker, none, ray, not false"),
        ("context = 'none'", 'context must be a whole number of at least 512, not "none"'),
        ("limits = 5", "limits must be a table, not 5"),
        ("[limits]\nmemory_mb = 0", 'limits.memory_mb must be a whole number above 0 or "none", not 0'),
        ("[limits]\nwall_seconds = inf", 'limits.wall_seconds must be a number above 0 or "none", not Infinity'),
        ("[limits]\nmemory = 5", 'no setting "limits.memory"; did you mean limits.memory_mb?'),
        ("memory_mb = 5", "did you mean limits.memory_mb?"),
        ("modle = 'x'", 'no setting "modle"; did you mean model?'),
        ("zzz = 1", "known are model, context"),
        ("max_tokens = 8192", "max_tokens (8192) must be smaller than context (8192)"),
    ],
)
def test_what_cannot_be_used_is_named(file: Path, text: str | bytes, words: str) -> None:
    message = refusal(file, text)
    assert words in message
    assert "\n" not in message


def test_the_place_of_a_mistake_is_named(file: Path) -> None:
    assert refusal(file, "max_rounds = 0").startswith(f"{file}: max_rounds ")
    assert refusal(file, OCINT_MAX_ROUNDS="x").startswith("OCINT_MAX_ROUNDS ")
    assert refusal(file, flags={"max_rounds": "x"}).startswith("--max-rounds ")


def test_a_mistake_that_is_overruled_is_still_one(file: Path) -> None:
    assert "max_rounds" in refusal(file, "max_rounds = 0", {"max_rounds": "3"})


def test_a_variable_that_is_nearly_right(file: Path) -> None:
    assert "did you mean OCINT_NETWORK?" in refusal(file, OCINT_NETWROK="0")
    assert load(file, OCINT_SOMETHING_ELSE="1") == Config()


def test_less_isolation_is_never_had_by_mistake(file: Path) -> None:
    for word in ("None", "NONE", "off", "", "0", "false", "no"):
        refusal(file, OCINT_BACKEND=word)
    assert load(file, OCINT_BACKEND="none").backend == "none"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which does not exist"):
        load_config({}, {"OCINT_CONFIG": str(tmp_path / "none.toml")})
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config({}, {"OCINT_CONFIG": str(tmp_path)})


def test_no_file_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_path({}) == tmp_path / "opencodeinterpreter" / "config.toml"
    assert load_config({}, {}) == Config()


@pytest.mark.parametrize(
    ("environ", "images"),
    [
        ({}, "none"),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"KITTY_WINDOW_ID": "1", "TMUX": "/tmp/x"}, "none"),
        ({"TERM_PROGRAM": "vscode"}, "none"),
    ],
)
def test_what_the_terminal_can_draw(environ: dict[str, str], images: str) -> None:
    assert read_terminal(environ).images == images


def test_the_terminals_colours_and_editor() -> None:
    assert read_terminal({"COLORFGBG": "0;15", "EDITOR": "vi"}).light
    assert read_terminal({"VISUAL": "code -w", "EDITOR": "vi"}).editor == "code -w"
    assert read_terminal({}).editor is None


def test_where_models_come_from(file: Path, tmp_path: Path) -> None:
    config = load(file, f"models_folder = '{tmp_path}'")
    environ = {"HF_ENDPOINT": "https://hub.test", "OPENAI_BASE_URL": "http://localhost:1/v1", "OPENAI_API_KEY": "k"}
    settings = model_settings(config, environ)
    assert settings.sources.folder == tmp_path
    assert settings.sources.hub_url == "https://hub.test"
    assert settings.endpoint.base_url == "http://localhost:1/v1"
    assert settings.endpoint.api_key == "k"


def test_debugging_is_asked_for() -> None:
    assert [debug({}), debug({"OCINT_DEBUG": "0"}), debug({"OCINT_DEBUG": "1"})] == [False, False, True]
