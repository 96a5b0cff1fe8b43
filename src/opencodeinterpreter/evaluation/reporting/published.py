"""Published pass@1 figures, as percentages, to stand beside our own.

Of the published system: the README of the original repository and its project page (arXiv 2402.14658). Its execution
feedback shows the model the failing input and the expected output of the hidden tests (L5); its human feedback is
written by a model that has seen that result (L6), and with oracle the reference solution too (L7).
"""

from __future__ import annotations

from dataclasses import dataclass

HUMANEVAL_NOTE = (
    "Published figures on HumanEval+ v0.1.9 are out of 163 reachable problems: the grader of that time fails every "
    "solution of HumanEval/32, the reference among them."
)
MBPP_NOTE = (
    "Published figures on MBPP+ v0.1.0 are out of 399 problems; v0.2.0 has 378, without 21 broken ones, and reads "
    "about 4 points higher for the same model."
)
FEEDBACK_NOTE = (
    "The published feedback protocols are gated by the hidden tests: a second answer is asked for only where they "
    "failed, so the score cannot fall. They are upper bounds, and stand apart from protocols that a user could have."
)

ORIGINAL_DATA = ("HumanEval+ v0.1.9", "MBPP+ v0.1.0")
_ORIGINAL = "original README"
_PAGE = "original project page"
_QWEN = "Qwen2.5-Coder technical report, unquantized"


@dataclass(frozen=True)
class PublishedRow:
    """One model under one protocol. Pairs are base and plus."""

    model: str
    protocol: str
    """in our names: ``single``, ``execution``, ``human``, ``oracle``"""
    leakage: str
    humaneval: tuple[float, float]
    mbpp: tuple[float, float]
    average: tuple[float, float]
    source: str
    data: tuple[str, ...] = ORIGINAL_DATA

    @property
    def honest(self) -> bool:
        return self.leakage == "L0"


_LEAKAGE = {"single": "L0", "execution": "L5", "human": "L6", "oracle": "L7"}

# Model; then for each protocol HumanEval, HumanEval+, MBPP, MBPP+ and both averages, as published.
_TABLE: dict[str, dict[str, tuple[float, float, float, float, float, float]]] = {
    "OCI-DS-1.3B": {
        "single": (65.2, 61.0, 63.4, 52.4, 64.3, 56.7),
        "execution": (65.2, 62.2, 65.2, 55.6, 65.2, 58.9),
    },
    "OCI-DS-6.7B": {
        "single": (76.2, 72.0, 73.9, 63.7, 75.1, 67.9),
        "execution": (81.1, 78.7, 82.7, 72.4, 81.9, 75.6),
        "human": (87.2, 86.6, 86.2, 74.2, 86.7, 80.4),
        "oracle": (89.7, 86.6, 87.2, 75.2, 88.5, 80.9),
    },
    "OCI-DS-33B": {
        "single": (79.3, 74.3, 78.7, 66.4, 79.0, 70.4),
        "execution": (82.9, 80.5, 83.5, 72.2, 83.2, 76.4),
        "human": (88.4, 86.0, 87.5, 75.9, 88.0, 81.0),
        "oracle": (92.7, 89.7, 90.5, 79.5, 91.6, 84.6),
    },
    "OCI-CL-7B": {
        "single": (72.6, 67.7, 66.4, 55.4, 69.5, 61.6),
        "execution": (75.6, 70.1, 69.9, 60.7, 72.8, 65.4),
    },
    "OCI-CL-13B": {
        "single": (77.4, 73.8, 70.7, 59.2, 74.1, 66.5),
        "execution": (81.1, 76.8, 78.2, 67.2, 79.7, 72.0),
    },
    "OCI-CL-34B": {
        "single": (78.0, 72.6, 73.4, 61.4, 75.7, 67.0),
        "execution": (81.7, 78.7, 80.2, 67.9, 81.0, 73.3),
    },
    "OCI-CL-70B": {
        "single": (76.2, 70.7, 73.0, 61.9, 74.6, 66.3),
        "execution": (79.9, 77.4, 81.5, 69.9, 80.7, 73.7),
    },
    "OCI-GM-7B": {
        "single": (56.1, 50.0, 39.8, 34.6, 48.0, 42.3),
        "execution": (64.0, 54.3, 48.6, 40.9, 56.3, 47.6),
    },
    "OCI-SC2-3B": {
        "single": (65.2, 57.9, 62.7, 52.9, 64.0, 55.4),
        "execution": (67.1, 60.4, 63.4, 54.9, 65.3, 57.7),
    },
    "OCI-SC2-7B": {
        "single": (73.8, 68.9, 61.7, 51.1, 67.8, 60.0),
        "execution": (75.6, 69.5, 66.9, 55.4, 71.3, 62.5),
    },
    "OCI-SC2-15B": {
        "single": (75.6, 69.5, 71.2, 61.2, 73.4, 65.4),
        "execution": (77.4, 72.0, 74.2, 63.4, 75.8, 67.7),
    },
    "GPT-4 Turbo (1106)": {
        "single": (85.4, 81.7, 83.0, 70.7, 84.2, 76.2),
        "execution": (88.0, 84.2, 92.0, 78.2, 90.0, 81.2),
    },
    "GPT-3.5 Turbo": {
        "single": (72.6, 65.9, 81.7, 69.4, 77.2, 67.7),
        "execution": (76.8, 70.7, 87.0, 73.9, 81.9, 72.3),
    },
}

# HumanEval, HumanEval+, MBPP, MBPP+; the averages are ours, and the report does not name the data versions.
_QWEN_TABLE: dict[str, tuple[float, float, float, float]] = {
    "Qwen2.5-Coder-0.5B-Instruct": (61.6, 57.3, 52.4, 43.7),
    "Qwen2.5-Coder-1.5B-Instruct": (70.7, 66.5, 69.2, 59.4),
    "Qwen2.5-Coder-3B-Instruct": (84.1, 80.5, 73.6, 62.4),
    "Qwen2.5-Coder-7B-Instruct": (88.4, 84.1, 83.5, 71.7),
}


def published_rows() -> list[PublishedRow]:
    """Return every published row, in the order in which they are shown."""
    rows = [
        PublishedRow(
            model=model,
            protocol=protocol,
            leakage=_LEAKAGE[protocol],
            humaneval=figures[0:2],
            mbpp=figures[2:4],
            average=figures[4:6],
            source=_PAGE if model.startswith("GPT") else _ORIGINAL,
        )
        for model, protocols in _TABLE.items()
        for protocol, figures in protocols.items()
    ]
    rows += [
        PublishedRow(
            model=model,
            protocol="single",
            leakage="L0",
            humaneval=figures[0:2],
            mbpp=figures[2:4],
            average=(round((figures[0] + figures[2]) / 2, 1), round((figures[1] + figures[3]) / 2, 1)),
            source=_QWEN,
            data=("version not stated",),
        )
        for model, figures in _QWEN_TABLE.items()
    ]
    return rows
