"""A training recipe: one YAML file, checked before anything is loaded."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import yaml

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models.catalog import suggestion
from opencodeinterpreter.training.masking import TURNS

METHODS: Final = ("full", "lora", "qlora")
_RATES: Final = {"full": 2e-5, "lora": 1e-4, "qlora": 1e-4}
"""The paper's for all weights. Adapters begin at nothing and take a rate some times higher, as is common practice."""
_CHOICES: Final = {
    "method": METHODS,
    "train_on": TURNS,
    "schedule": ("cosine", "linear", "constant"),
    "dtype": ("auto", "bfloat16", "float32"),
    "attention": ("auto", "sdpa", "eager", "flash_attention_2", "flash_attention_3"),
}


@dataclass(frozen=True)
class DataRecipe:
    """What is trained on. Each entry is a file (JSONL, Parquet), a folder of them, or a data set of the hub."""

    dialogs: tuple[str, ...] = ()
    """Code-Feedback, or any other messages data set of several turns"""
    single_turn: tuple[str, ...] = ()
    """one question and one answer a row"""
    ratio: str | None = None
    """dialogs of ``single_turn`` to those of ``dialogs``, such as ``2:1``; None takes all of both"""
    held_out: float = 0.02
    """set aside for the evaluation loss: a share below 1, or a number of dialogs"""
    limit: int | None = None
    """the first so many dialogs of each list only"""


@dataclass(frozen=True)
class LoraRecipe:
    """The shape of an adapter."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: str | tuple[str, ...] = "all-linear"
    """names of layers, or all linear ones but the head"""


@dataclass(frozen=True)
class Recipe:
    """All that decides a training run. Defaults are the paper's (section on training) where it names a value."""

    model: str
    """what is tuned: a name of the catalog, a folder, ``path.gguf``, or a repository of the hub"""
    output: str
    """the folder that is made"""
    data: DataRecipe = DataRecipe()
    method: str = "full"
    lora: LoraRecipe = LoraRecipe()
    template: str = "auto"
    train_on: str = "passed"
    observations: bool = False
    epochs: float = 3.0
    max_steps: int | None = None
    """ends earlier"""
    learning_rate: float | None = None
    """None: 2e-5 (paper) for all weights, 1e-4 for adapters"""
    schedule: str = "cosine"
    warmup: float = 0.05
    """share of the steps in which the rate rises"""
    max_tokens: int = 4096
    """of one dialog"""
    batch_size: int = 32
    """dialogs (with packing: packs) of one optimiser step, over all devices; the paper names none"""
    micro_batch_size: int = 1
    """of these, how many a device takes at a time"""
    packing: bool = False
    """several dialogs in one row, each of which sees only itself"""
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    dtype: str = "auto"
    """of the weights: bfloat16 where the device computes in it, for all weights on a processor float32"""
    attention: str = "auto"
    gradient_checkpointing: bool | None = None
    """computes activations twice to save memory; None: on a GPU for all weights only"""
    seed: int = 17
    save_steps: int = 100
    eval_steps: int | None = None
    """None: as often as it is saved"""
    log_steps: int = 1
    keep_checkpoints: int = 2

    @property
    def rate(self) -> float:
        return _RATES[self.method] if self.learning_rate is None else self.learning_rate

    @property
    def ratio(self) -> tuple[float, float] | None:
        """``single_turn`` to ``dialogs``."""
        if self.data.ratio is None:
            return None
        single, _, dialogs = self.data.ratio.partition(":")
        return float(single), float(dialogs)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads ``2:1`` as the number 121 and ``2e-5`` as a text; this reads them as people mean them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag not in {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9][0-9_]*$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
    list("-+0123456789."),
)


def read_recipe(path: Path, **changes: Any) -> Recipe:
    """Read a recipe; files that it names lie relative to its own folder.

    Args:
        path: of the YAML file.
        changes: values that take the place of the file's; None changes nothing.

    Raises:
        InputError: naming the key that is not known or cannot be used.
    """
    try:
        row = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError as error:
        raise InputError(f"there is no recipe {path}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"the recipe {path} is not YAML: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(row, dict):
        raise InputError(f"the recipe {path} must be a list of keys and values, such as model: smollm2-135m")
    row.update({key: value for key, value in changes.items() if value is not None})
    recipe = _checked(_built(Recipe, row, ""))
    return _placed(recipe, path.parent)


def _built(kind: type[Any], row: Mapping[Any, Any], where: str) -> Any:
    known = {each.name: each for each in dataclasses.fields(kind)}
    hints = get_type_hints(kind)
    for key in row:
        if key not in known:
            raise InputError(f"the recipe has an unknown key {where}{key}: {suggestion(str(key), known)}")
    missing = [
        name
        for name, each in known.items()
        if name not in row and each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise InputError(f"the recipe does not say {where}{missing[0]}")
    return kind(**{str(key): _value(hints[str(key)], value, f"{where}{key}") for key, value in row.items()})


def _value(hint: Any, value: Any, key: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise InputError(f"{key} in the recipe must hold keys of its own")
        return _built(hint, value, f"{key}.")  # type: ignore[arg-type]
    kinds = get_args(hint) if not getattr(hint, "__origin__", None) else (hint,)
    kinds = kinds or (hint,)
    if value is None and type(None) in kinds:
        return None
    if isinstance(value, list) and any(getattr(each, "__origin__", None) is tuple for each in kinds):
        if all(isinstance(each, str) for each in value):
            return tuple(value)
    elif isinstance(value, str) and any(getattr(each, "__origin__", None) is tuple for each in kinds):
        return value if str in kinds else (value,)
    elif isinstance(value, bool):
        if bool in kinds:
            return value
    elif (isinstance(value, int) and int in kinds) or (isinstance(value, str) and str in kinds):
        return value
    elif isinstance(value, int | float) and float in kinds:
        return float(value)
    wanted = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    names = [wanted.get(each, "a list of texts") for each in kinds if each is not type(None)]
    raise InputError(f"{key} in the recipe must be {' or '.join(names)}, not {json.dumps(value, default=str)}")


def _checked(recipe: Recipe) -> Recipe:
    for key, choices in _CHOICES.items():
        if getattr(recipe, key) not in choices:
            said = suggestion(getattr(recipe, key), choices)
            raise InputError(f"{key} in the recipe cannot be {getattr(recipe, key)!r}: {said}")
    positive = {
        "epochs": recipe.epochs, "max_tokens": recipe.max_tokens, "batch_size": recipe.batch_size, "rate": recipe.rate,
        "micro_batch_size": recipe.micro_batch_size, "lora.rank": recipe.lora.rank, "lora.alpha": recipe.lora.alpha,
        "save_steps": recipe.save_steps, "log_steps": recipe.log_steps, "keep_checkpoints": recipe.keep_checkpoints,
        "max_steps": 1 if recipe.max_steps is None else recipe.max_steps,
        "eval_steps": 1 if recipe.eval_steps is None else recipe.eval_steps,
        "data.limit": 1 if recipe.data.limit is None else recipe.data.limit,
    }  # fmt: skip
    for key, number in positive.items():
        if number <= 0:
            raise InputError(f"{'learning_rate' if key == 'rate' else key} in the recipe must be above 0")
    if not 0 <= recipe.warmup < 1:
        raise InputError("warmup in the recipe is a share of the steps, from 0 to below 1")
    if recipe.data.held_out < 0:
        raise InputError("data.held_out in the recipe must be a share below 1, or a number of dialogs")
    if recipe.batch_size % recipe.micro_batch_size:
        raise InputError("batch_size in the recipe must be a multiple of micro_batch_size")
    if not recipe.data.dialogs and not recipe.data.single_turn:
        raise InputError("the recipe names no data: data.dialogs or data.single_turn")
    _check_ratio(recipe)
    return recipe


def _check_ratio(recipe: Recipe) -> None:
    said = recipe.data.ratio
    if said is None:
        return
    if not re.fullmatch(r"\d+(\.\d+)?:\d+(\.\d+)?", said) or set(said) <= set("0.:"):
        raise InputError(f"data.ratio in the recipe must be two numbers, such as 2:1, not {said!r}")
    if not (recipe.data.dialogs and recipe.data.single_turn):
        raise InputError("data.ratio in the recipe needs both data.single_turn and data.dialogs")


def _placed(recipe: Recipe, folder: Path) -> Recipe:
    def placed(name: str) -> str:
        here = folder / Path(name).expanduser()
        return str(here) if here.exists() else name

    data = dataclasses.replace(
        recipe.data,
        dialogs=tuple(placed(name) for name in recipe.data.dialogs),
        single_turn=tuple(placed(name) for name in recipe.data.single_turn),
    )
    model = placed(recipe.model) if "/" in recipe.model or recipe.model.endswith(".gguf") else recipe.model
    return dataclasses.replace(recipe, data=data, model=model, template=placed(recipe.template))
