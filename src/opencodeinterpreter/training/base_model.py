"""What a run starts from: a checkpoint of the hub, a folder, or a GGUF file, whose weights are dequantised."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import ConfigError, DownloadError, MissingExtraError, ModelError, ModelFileError
from opencodeinterpreter.models import Progress, settings_from_environment
from opencodeinterpreter.models.cache import no_progress, sha256_of
from opencodeinterpreter.models.checkpoint_folder import check_folder
from opencodeinterpreter.models.download import resolved
from opencodeinterpreter.models.gguf_file import check_head
from opencodeinterpreter.models.gguf_reading import quick_gguf
from opencodeinterpreter.models.hub import files_of
from opencodeinterpreter.models.own_models import find_model

_PREFIXES: Final = ("transformers:", "hf:")


@dataclass(frozen=True)
class Base:
    """A model that can be tuned or exported, not loaded yet."""

    name: str
    """what the user called it"""
    where: str
    """a folder, or a repository of the hub"""
    options: dict[str, Any] = field(default_factory=dict)
    """what else the library must be told"""
    gguf: Path | None = None
    """the file, if it is one"""

    @property
    def sha256(self) -> str | None:
        """Of a GGUF file."""
        return None if self.gguf is None else sha256_of(self.gguf)


def find_base(name: str, progress: Progress = no_progress) -> Base:
    """Find what goes by a name, fetching a file of the catalog if that is needed.

    Raises:
        ModelFileError: if it is no model, or only an adapter.
        UnknownModelError, DownloadError: if it is nowhere, or cannot be fetched.
        ConfigError: for a model that is only served.
    """
    given, name = name, name.strip()
    if name.startswith(("openai:", "scripted:")):
        raise ConfigError(f"{name} cannot be trained: only its replies can be had, not its weights")
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    sources = settings_from_environment(os.environ).sources
    name = resolved(name, sources, progress)
    path = Path(name).expanduser()
    if path.suffix.lower() == ".gguf":
        check_head(path)
        return Base(given, str(path.resolve().parent), {"gguf_file": path.name}, path.resolve())
    if path.is_dir():
        check_folder(path)
        return Base(given, str(path))
    if path.exists() or name.count("/") != 1:
        if path.exists():
            raise ModelFileError(f"{path} is neither a folder with a checkpoint nor a GGUF file")
        find_model(name, sources)
    return Base(given, name)


def libraries() -> None:
    """Import what training needs, and keep it quiet.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import peft  # noqa: F401
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        raise MissingExtraError("training", "training") from error
    # Bars and remarks of the library would land in the middle of the program's own screen.
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()


def tokenizer_of(base: Base) -> Any:
    """Return the model's tokenizer.

    Raises:
        ModelError: if it cannot be had, or keeps no record of which text a token is from.
    """
    import transformers

    tokenizer = _loaded(base, lambda more: transformers.AutoTokenizer.from_pretrained(base.where, **more))
    if not tokenizer.is_fast:
        raise ModelFileError(f"the tokenizer of {base.name} is not one of the fast kind (no tokenizer.json)")
    return tokenizer


def config_of(base: Base) -> Any:
    """Return the model's configuration, without its weights."""
    import transformers

    return _loaded(base, lambda more: transformers.AutoConfig.from_pretrained(base.where, **more))


def weights_of(base: Base, **options: Any) -> Any:
    """Return the model in memory.

    Args:
        base: the model.
        options: of ``from_pretrained``, such as ``dtype``.
    """
    import transformers

    model = _loaded(base, lambda more: transformers.AutoModelForCausalLM.from_pretrained(base.where, **more, **options))
    if base.gguf is not None:
        # The weights are plain numbers now, and the library would refuse to train or save what it was told they were.
        model.hf_quantizer = model.quantization_method = None
        model.is_quantized = False
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
    return model


def _loaded(base: Base, load: Any) -> Any:
    """Load from this machine, or else from the hub; code that a repository brings is never run."""
    sources = settings_from_environment(os.environ).sources
    with _quiet(base):
        try:
            return load({**base.options, "local_files_only": True})
        except Exception as error:
            if Path(base.where).exists():
                raise _meaning(error, base) from error
        # Asked beforehand, because the library tries for most of a minute to reach a hub that is not there.
        files_of(base.where, "main", sources)
        try:
            return load({"token": sources.hub_token})
        except Exception as error:
            raise _meaning(error, base) from error


def _meaning(error: Exception, base: Base) -> ModelError:
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return ModelError(f"there is not enough memory for {base.name}")
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, ConnectionError):
        return DownloadError(f"{base.name} cannot be had from the hub: {reason}")
    return ModelFileError(f"{base.name} cannot be used: {reason}")


@contextlib.contextmanager
def _quiet(base: Base) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if base.gguf is not None:
            # The bar of this step is not one that can be switched off.
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            stack.enter_context(quick_gguf())
        yield
