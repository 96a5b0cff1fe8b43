"""Measurements of the grader: its speed, its agreement with EvalPlus 0.3.1, its steadiness, and what is extracted."""
