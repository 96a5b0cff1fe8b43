"""Grading: untrusted programs run in jails, and what they return is compared outside of them.

    with Grader(dataset) as grader:
        faults = grader.check_references()        # before any score
        grade = grader.grade(problem, code)       # base and plus from one run
        for grade in grader.grade_many(pairs): ...
        outcomes = grader.run(code, entry_point, inputs)
        examples = grader.run_examples(problem, code)

``docs/evaluation/grading.md`` says what the grader promises, and where its verdicts differ from EvalPlus's.
"""

from opencodeinterpreter.evaluation.grading.calls import CallOutcome, ExampleOutcome
from opencodeinterpreter.evaluation.grading.grader import Grader, ReferenceFault
from opencodeinterpreter.evaluation.grading.limits import GradingLimits

__all__ = ["CallOutcome", "ExampleOutcome", "Grader", "GradingLimits", "ReferenceFault"]
