"""Real use, measured: realistic tasks, checkers for their answers, a runner for any model, and a report."""
