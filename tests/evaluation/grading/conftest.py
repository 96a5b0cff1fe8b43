"""A grader with small limits, so that what must end, ends soon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from grading_problems import dataset, problem

from opencodeinterpreter.evaluation.grading import Grader, GradingLimits
from opencodeinterpreter.evaluation.problems import Problem

LIMITS = GradingLimits(
    least_cpu_seconds=0.4, suite_cpu_seconds=3, load_cpu_seconds=3, asleep_seconds=0.6, memory_mb=300, processes=16
)


@pytest.fixture(scope="package")
def squares() -> Problem:
    return problem()


@pytest.fixture(scope="package")
def grader(squares: Problem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    folder: Path = tmp_path_factory.mktemp("grading")
    with Grader(dataset(squares), workers=2, cache=folder, limits=LIMITS) as made:
        yield made
