"""Checks the arguments of a call, which come from hostile code, against a tool's JSON schema."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

_CHARACTERS = 300
# What takes time out of all proportion with the wrong input; the server checks its input itself.
_LEFT_OUT = ("pattern", "patternProperties", "uniqueItems", "format")


def problem(arguments: Any, schema: Mapping[str, Any]) -> str:
    """Return what is wrong with the arguments; empty if nothing is."""
    import jsonschema  # type: ignore[import-untyped]
    from jsonschema.exceptions import SchemaError, UnknownType, best_match  # type: ignore[import-untyped]
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    if not isinstance(arguments, dict):
        return "the arguments are no object"
    checker = _checker(jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator))
    try:
        # An empty registry: a schema of a server is no reason to fetch anything.
        found = best_match(checker(dict(schema), registry=Registry()).iter_errors(arguments))
    except (SchemaError, UnknownType, Unresolvable, TypeError, ValueError, AttributeError) as error:
        return f"the server's schema cannot be used ({type(error).__name__})"
    except RecursionError:
        return "the arguments are nested too deeply"
    if found is None:
        return ""
    where = "".join(f"[{part!r}]" for part in found.absolute_path)
    return (f"{where}: " if where else "") + str(found.message)[:_CHARACTERS]


@functools.cache
def _checker(kind: Any) -> Any:
    """Return a kind of validator without what is left out; making one takes longer than a check."""
    import jsonschema

    return jsonschema.validators.extend(kind, dict.fromkeys(_LEFT_OUT, _passes))


def _passes(*_: Any) -> tuple[()]:
    return ()
