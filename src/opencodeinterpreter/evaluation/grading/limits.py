"""What a solution may use while it is graded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GradingLimits:
    """Time is counted in seconds of CPU, so that a busy machine does not change a verdict."""

    least_cpu_seconds: float = 1.0
    """For one input, at least."""
    cpu_factor: float = 4.0
    """For one input: this many times what the reference solution took, if that is more."""
    suite_cpu_seconds: float = 60.0
    """For all inputs of the base or the plus suite together, or ``cpu_factor`` times the reference's if more."""
    load_cpu_seconds: float = 20.0
    """For all that happens before the first call, imports included."""
    large_value_cpu_seconds: float = 30.0
    """For encoding a returned value of very many items, after the call itself."""
    asleep_seconds: float = 5.0
    """Without progress while nothing in the jail runs or wants to: a solution that waits."""
    stalled_seconds: float = 1800.0
    """Without progress, on any machine however busy: nothing should ever come to this."""
    memory_mb: int = 2048
    """Over all processes of a solution."""
    processes: int = 32
    """Threads included."""
    disk_mb: int = 32
    value_bytes: int = 32 << 20
    """Of one returned value in its encoding."""
    output_bytes: int = 256 << 20
    """Of all returned values."""

    def for_input(self, reference_seconds: float) -> float:
        """Return the seconds of CPU for an input that takes the reference ``reference_seconds``."""
        return max(self.least_cpu_seconds, self.cpu_factor * reference_seconds)

    def for_suite(self, reference_seconds: float) -> float:
        return max(self.suite_cpu_seconds, self.cpu_factor * reference_seconds)

    @property
    def key(self) -> str:
        """Text that is the same for limits under which verdicts are the same."""
        return repr(self)
