"""Evaluation: benchmarks, grading in the sandbox, protocols of feedback, records, reports."""
