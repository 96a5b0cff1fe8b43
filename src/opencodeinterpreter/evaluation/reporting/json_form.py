"""A report, or a comparison, as plain JSON values: every figure that the other forms show."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from opencodeinterpreter.evaluation.reporting.comparing import Comparison
from opencodeinterpreter.evaluation.reporting.report import Report
from opencodeinterpreter.evaluation.reporting.tables import run_name
from opencodeinterpreter.evaluation.summary import Suite, Summary

FORMAT = 1


def report_json(report: Report) -> dict[str, Any]:
    """Return the report; rates are fractions, not percentages."""
    return {
        "format": FORMAT,
        "tables": [asdict(table) for table in report.tables],
        "runs": [_summary(summary) for summary in report.summaries],
        "comparisons": [comparison_json(comparison) for comparison in report.comparisons],
    }


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison, with what may be said of it in words."""
    row = asdict(comparison)
    for stored, part in zip(row["parts"], comparison.parts, strict=True):
        for suite, result in part.results.items():
            winner = None if result.winner is None else (comparison.first, comparison.second)[result.winner]
            stored["results"][suite] |= {
                "difference": result.difference,
                "unchanged": result.unchanged,
                "winner": winner,
                "sentence": comparison.sentence(part, suite),
            }
    return row


def _summary(summary: Summary) -> dict[str, Any]:
    row = asdict(summary) | {
        "name": run_name(summary.config),
        "config": summary.config.to_json(),
        "missing": summary.missing,
        "verdicts": {
            suite: {str(verdict): count for verdict, count in counts.items()}
            for suite, counts in summary.verdicts.items()
        },
        "pass_at": {suite: {str(k): v for k, v in values.items()} for suite, values in summary.pass_at.items()},
    }
    row["cost"] |= {
        "tokens_per_solved": summary.cost.tokens_per_solved,
        "seconds_per_solved": summary.cost.seconds_per_solved,
    }
    suite: Suite
    for suite, result in summary.refinement.items():
        row["refinement"][suite] |= {"difference": result.difference, "unchanged": result.unchanged}
    return row
