"""Takes out of a data set what is in the benchmarks: as it is, renamed, translated, or told in other words."""

from opencodeinterpreter.codefeedback.decontamination.detector import Detector, Evidence, Likeness
from opencodeinterpreter.codefeedback.decontamination.leakage import LeakageIndex
from opencodeinterpreter.codefeedback.decontamination.references import Reference, load_references
from opencodeinterpreter.codefeedback.decontamination.report import Pair, Report
from opencodeinterpreter.codefeedback.decontamination.stage import (
    DecontaminationSettings,
    DecontaminationStage,
    parts_of,
)

__all__ = [
    "DecontaminationSettings",
    "DecontaminationStage",
    "Detector",
    "Evidence",
    "LeakageIndex",
    "Likeness",
    "Pair",
    "Reference",
    "Report",
    "load_references",
    "parts_of",
]
