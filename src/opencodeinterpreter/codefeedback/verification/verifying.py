"""The stage ``verify``: a dialog goes on only if it is what it seems to be.

An answer that is nothing but code is put into a fence. The text is looked at first (``checks``), since that costs
nothing. Then every piece of Python that an assistant wrote is run again, with its tests where there are some; code of
other languages is parsed. What is known of each message afterwards is written into its meta: kind, passed, train,
language, executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opencodeinterpreter.codefeedback.methods.fencing import fence_bare_code
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, MapStage, Outcome, Process
from opencodeinterpreter.codefeedback.verification.checks import fault_in
from opencodeinterpreter.codefeedback.verification.examination import VERSION, Examination
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings, Executor
from opencodeinterpreter.dialog import Dialog


@dataclass(frozen=True)
class VerificationSettings:
    """What is asked of a dialog."""

    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    needs_absent: bool = True
    """keep an answer that stands alone where its code needs a package, file or input that the sandbox does not have"""
    unrecorded: bool = False
    """keep execution feedback without a record, as in dialogs made elsewhere, if its code gives it"""

    def to_json(self) -> dict[str, Any]:
        return {
            "execution": self.execution.to_json(),
            "needs_absent": self.needs_absent,
            "unrecorded": self.unrecorded,
            "version": VERSION,
        }


class Verification:
    """The stage itself: a ``MapStage`` of dialogs."""

    name = "verify"

    def __init__(self, settings: VerificationSettings | None = None) -> None:
        self._settings = settings or VerificationSettings()
        self._executor: Executor | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings.to_json()

    @contextmanager
    def prepare(self) -> Iterator[Process]:
        """Open the sandboxes."""
        with Executor(self._settings.execution) as executor:
            self._executor = executor
            try:
                yield lambda row: self.verify(Dialog.from_json(row), executor)
            finally:
                self._executor = None

    def stop(self) -> None:
        executor = self._executor
        if executor is not None:
            executor.stop()

    def verify(self, dialog: Dialog, executor: Executor) -> Outcome:
        """Return the dialog with all that is known of it, or the reason why it is dropped.

        Raises:
            SandboxError: if the sandbox itself fails.
        """
        dialog, fenced = fence_bare_code(dialog)
        fault = fault_in(dialog)
        if fault is None:
            settings = self._settings
            examination = Examination(
                dialog, executor, needs_absent=settings.needs_absent, unrecorded=settings.unrecorded
            )
            fault = examination.fault()
            if fault is None:
                counts = {**examination.counts, **({"put into a fence": fenced} if fenced else {})}
                return Outcome(rows=(examination.dialog().to_json(),), notes={"verified": counts})
        return Outcome(drops=(Drop(fault.reason, fault.detail),))


def stage(settings: VerificationSettings | None = None) -> MapStage:
    """Return the stage ``verify``."""
    return Verification(settings)
