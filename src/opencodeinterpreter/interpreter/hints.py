"""Causes of errors that a model tends to miss: what the sandbox lacks, and what its packages no longer have.

About the sandbox and its packages, never about a task.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from opencodeinterpreter.sandbox.base import ErrorInfo


class Removed(NamedTuple):
    """Something that a package has given up, and that models, which learned from older code, still write."""

    says: str
    """what the error says, as a pattern; names the package's own types, for others may have such a name"""
    instead: str
    was: str = ""
    """what stands in the line that failed, as a pattern; empty where no replacement in the line would do"""
    becomes: str = ""


_PANDAS = r"'(?:DataFrame|Series)' object has no attribute "
_NUMPY = r"module 'numpy' has no attribute "
_ABSTRACT = "'(?:Mapping|MutableMapping|Iterable|Iterator|Sequence|Callable|Hashable)'"

# From the release notes of pandas 1.0-2.2, NumPy 1.24-2.2, Pillow 10, scikit-learn 1.2-1.4, seaborn 0.12 and
# Python 3.8-3.10.
_REMOVED = (
    Removed(
        r"'DataFrame' object has no attribute 'append'",
        "pd.concat([frame, pd.DataFrame([row])], ignore_index=True)",
        r"(\w+)\.append\(((?:\{|dict\().*[})])(?:, ?ignore_index=True)?\)",
        r"pd.concat([\1, pd.DataFrame([\2])], ignore_index=True)",
    ),
    Removed("'Series' object has no attribute 'append'", "pd.concat([series, other])"),
    Removed(_PANDAS + "'iteritems'", ".items()", r"\.iteritems\(", ".items("),
    Removed(_PANDAS + "'ix'", ".loc[] or .iloc[]", r"\.ix\[", ".loc["),
    Removed(_PANDAS + "'as_matrix'", ".to_numpy()", r"\.as_matrix\(", ".to_numpy("),
    Removed(_PANDAS + "'get_value'", ".at[row, column]", r"\.get_value\(([^()]*)\)", r".at[\1]"),
    Removed(_PANDAS + "'mad'", "(x - x.mean()).abs().mean()"),
    Removed(_PANDAS + "'lookup'", "frame.to_numpy()[row_numbers, column_numbers]"),
    Removed(
        "'Datetime(?:Properties|Index)' .* 'weekofyear'",
        ".isocalendar().week",
        r"\.weekofyear\b",
        ".isocalendar().week",
    ),
    Removed(r"to_csv\(\) .* argument 'line_terminator'", "lineterminator=", r"\bline_terminator=", "lineterminator="),
    Removed(
        r"read_\w+\(\) .* argument '(?:error|warn)_bad_lines'",
        "on_bad_lines='skip'",
        r"\b(?:error|warn)_bad_lines=\w+",
        "on_bad_lines='skip'",
    ),
    Removed(
        _NUMPY + "'(?:float|int|object|str)'",
        "the built-in type of the same name",
        r"\b(?:np|numpy)\.(float|int|object|str)\b",
        r"\1",
    ),
    Removed(r"`np\.float_` was removed", "np.float64", r"\.float_\b", ".float64"),
    Removed(r"`np\.NaN` was removed", "np.nan", r"\.NaN\b", ".nan"),
    Removed(r"`np\.Inf` was removed", "np.inf", r"\.Inf\b", ".inf"),
    Removed(_NUMPY + "'trapz'", "np.trapezoid", r"\.trapz\b", ".trapezoid"),
    Removed(_NUMPY + "'in1d'", "np.isin", r"\.in1d\b", ".isin"),
    Removed(_NUMPY + "'product'", "np.prod", r"\.product\(", ".prod("),
    Removed(_NUMPY + "'cumproduct'", "np.cumprod", r"\.cumproduct\(", ".cumprod("),
    Removed("'ImageDraw' object has no attribute 'textsize'", "draw.textbbox((0, 0), text, font=font)"),
    Removed("'FreeTypeFont' object has no attribute 'getsize'", "font.getbbox(text)"),
    Removed("'PIL.Image' has no attribute 'ANTIALIAS'", "Image.LANCZOS", r"\.ANTIALIAS\b", ".LANCZOS"),
    Removed(
        r"'\w+(?:Vectorizer|Encoder|Transformer|Features)' object has no attribute 'get_feature_names'",
        ".get_feature_names_out()",
        r"\.get_feature_names\(",
        ".get_feature_names_out(",
    ),
    Removed(r"OneHotEncoder\.__init__\(\) .* argument 'sparse'", "sparse_output=", r"\bsparse=", "sparse_output="),
    Removed(
        rf"{_ABSTRACT} from 'collections'|'collections' has no attribute {_ABSTRACT}",
        "collections.abc",
        r"\bcollections\b(?!\.abc)",
        "collections.abc",
    ),
    Removed("'gcd' from 'fractions'|'fractions' has no attribute 'gcd'", "math.gcd", r"\bfractions\b", "math"),
    Removed("'time' has no attribute 'clock'", "time.perf_counter()", r"\btime\.clock\(", "time.perf_counter("),
    Removed("'seaborn' has no attribute 'factorplot'", "sns.catplot", r"\.factorplot\(", ".catplot("),
)

_INSTEAD = {
    "tabulate": "print(pd.DataFrame(rows, columns=names).to_string(index=False))",
    "prettytable": "print(pd.DataFrame(rows, columns=names).to_string(index=False))",
    "polars": "pandas",
    "dask": "pandas",
    "pyarrow": "CSV files by pandas",
    "plotly": "matplotlib",
    "bokeh": "matplotlib",
    "altair": "matplotlib",
    "xlrd": "pd.read_excel(name, engine='openpyxl')",
    "xlsxwriter": "pd.ExcelWriter(name, engine='openpyxl')",
    "cv2": "Pillow",
    "skimage": "Pillow and scipy.ndimage",
    "imageio": "Pillow",
    "bs4": "html.parser of the standard library",
    "lxml": "xml.etree.ElementTree",
    "yaml": "json",
    "statsmodels": "scipy.stats and numpy.polyfit",
    "nltk": "re and collections.Counter",
    "chardet": "encoding='utf-8', then 'cp1252'",
    "unidecode": "unicodedata",
    "torch": "scikit-learn",
    "tensorflow": "scikit-learn",
    "xgboost": "sklearn.ensemble.GradientBoostingRegressor or ...Classifier",
}


def hint(error: ErrorInfo | None) -> str | None:
    """Return one sentence on the likely cause of an error, or None."""
    if error is None:
        return None
    if error.name == "ModuleNotFoundError":
        name = missing_module(error) or "this package"
        instead = _INSTEAD.get(name)
        use = f"Do without it; in its place use: {instead}" if instead else "Do without it."
        return f"{name} is not installed in the sandbox, and nothing can be installed. {use}"
    if error.name in {"URLError", "gaierror", "ConnectionError"}:
        return "The sandbox has no network."
    if error.name == "TypeError" and re.search(r"agg function failed|does not support operation", error.value):
        # pandas 1 left text columns out by itself, and models still count on it.
        return "Choose the number columns before the mean or sum: frame.groupby(keys)['column'].mean()."
    if error.name == "AttributeError" and ".str accessor with string values" in error.value:
        return "This column holds numbers already: leave out the .str part."
    if error.name == "ValueError" and "If using all scalar values" in error.value:
        return "A single row has to stand in a list: pd.DataFrame([row])."
    removed = _removed(error)
    return f"The installed version no longer has this; use instead: {removed.instead}" if removed else None


def missing_module(error: ErrorInfo | None) -> str | None:
    """Return the top-level module whose absence an error tells of, or None."""
    if error is None or error.name != "ModuleNotFoundError":
        return None
    missing = re.search(r"No module named '([^'.]+)", error.value)
    return missing.group(1) if missing else None


def modern_line(error: ErrorInfo, line: str) -> str | None:
    """Return the line that failed with what was removed from a package replaced, or None."""
    removed = _removed(error)
    if removed is None or not removed.was:
        return None
    changed = re.sub(removed.was, removed.becomes, line)
    return changed if changed != line else None


def _removed(error: ErrorInfo) -> Removed | None:
    if error.name not in {"AttributeError", "TypeError", "ImportError"}:
        return None
    return next((removed for removed in _REMOVED if re.search(removed.says, error.value)), None)
