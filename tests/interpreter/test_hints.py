"""What a model is told of errors whose cause it tends to miss, on the real errors of the packages installed here."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from opencodeinterpreter.interpreter.hints import hint, missing_module, modern_line
from opencodeinterpreter.sandbox.base import ErrorInfo

PRELUDE = """
import collections, collections.abc, fractions, math, time
import numpy as np, pandas as pd, seaborn as sns
from PIL import Image, ImageDraw, ImageFont
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import OneHotEncoder
frame = pd.DataFrame({"a": [1.0, 2.0]})
days = pd.to_datetime(pd.Series(["2024-01-10"]))
words = CountVectorizer().fit(["one two"])
"""


@pytest.fixture(scope="module")
def names() -> dict:
    found: dict = {}
    exec(PRELUDE, found)
    return found


def error_of(line: str, names: dict) -> ErrorInfo:
    with pytest.raises((AttributeError, TypeError, ImportError)) as caught:
        exec(line, dict(names))
    return ErrorInfo(caught.type.__name__, str(caught.value), "")


@pytest.mark.parametrize(
    "line",
    [
        "x = frame.append({'a': 3.0}, ignore_index=True)",
        "x = list(frame.iteritems())",
        "x = frame['a'].iteritems()",
        "x = frame.ix[0]",
        "x = frame.as_matrix()",
        "x = frame.get_value(0, 'a')",
        "x = days.dt.weekofyear",
        "x = frame.to_csv(None, line_terminator='|')",
        "x = np.arange(3).astype(np.float)",
        "x = np.int(3)",
        "x = np.float_(1)",
        "x = np.NaN",
        "x = np.Inf",
        "x = np.trapz([1, 2, 3])",
        "x = np.in1d([1], [1, 2])",
        "x = np.product([2, 3])",
        "x = np.cumproduct([2, 3])",
        "x = Image.ANTIALIAS",
        "x = words.get_feature_names()",
        "x = OneHotEncoder(sparse=False)",
        "from collections import Mapping",
        "x = collections.Mapping",
        "from fractions import gcd",
        "x = time.clock()",
    ],
)
def test_a_line_with_something_removed_is_given_as_it_runs_today(line: str, names: dict) -> None:
    error = error_of(line, names)
    assert "use instead" in str(hint(error))
    mended = modern_line(error, line)
    assert mended is not None
    exec(mended, dict(names))


@pytest.mark.parametrize(
    "line",
    [
        "frame['a'].append(frame['a'])",
        "frame.mad()",
        "frame.lookup([0], ['a'])",
        "pd.read_csv('x.csv', error_bad_lines=False)",
        "ImageDraw.Draw(Image.new('RGB', (5, 5))).textsize('a')",
        "sns.factorplot(frame)",
    ],
)
def test_of_what_has_gone_without_a_like_the_other_way_is_told(line: str, names: dict) -> None:
    assert "use instead" in str(hint(error_of(line, names)))


@pytest.mark.parametrize("name", ["append", "lookup", "ix", "product", "get_feature_names", "iteritems", "mad"])
def test_a_name_that_the_users_own_class_lacks_is_not_said_to_be_removed(name: str) -> None:
    class Shop:
        pass

    with pytest.raises(AttributeError) as caught:
        getattr(Shop(), name)
    assert hint(ErrorInfo("AttributeError", str(caught.value), "")) is None


def test_an_argument_that_the_users_own_function_lacks_is_not_said_to_be_removed() -> None:
    def shape(**_: int) -> None: ...

    with pytest.raises(TypeError) as caught:
        (lambda size: shape(size=size))(sparse=True)  # type: ignore[call-arg]
    assert hint(ErrorInfo("TypeError", str(caught.value), "")) is None


def test_a_row_by_itself_and_numbers_taken_for_text_are_explained() -> None:
    with pytest.raises(ValueError, match="scalar") as row:
        pd.DataFrame({"a": 1})
    assert "pd.DataFrame([row])" in str(hint(ErrorInfo("ValueError", str(row.value), "")))
    with pytest.raises(AttributeError) as text:
        _ = pd.Series([1.5, np.nan, math.pi]).str
    assert "numbers already" in str(hint(ErrorInfo("AttributeError", str(text.value), "")))


def test_a_missing_module_is_named_with_what_can_be_used() -> None:
    error = ErrorInfo("ModuleNotFoundError", "No module named 'cv2.dnn'", "")
    assert missing_module(error) == "cv2"
    assert "Pillow" in str(hint(error))
    assert missing_module(ErrorInfo("KeyError", "'cv2'", "")) is None
