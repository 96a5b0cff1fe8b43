"""Causes of errors that a model tends to miss: what the sandbox lacks, and what its packages no longer have.

About the sandbox and its packages, never about a task.
"""

from __future__ import annotations

import re

from opencodeinterpreter.sandbox.base import ErrorInfo

# (what the error says, what to use instead, what to replace in the line). From the release notes of pandas 1.0-2.2,
# NumPy 1.20-2.2, Pillow 10, scikit-learn 1.0-1.4, seaborn 0.14 and Python 3.3-3.13: models learned from older code.
_REMOVED: tuple[tuple[str, str, tuple[str, str] | None], ...] = (
    (
        r"'DataFrame' .* 'append'",
        "pd.concat([frame, pd.DataFrame([row])], ignore_index=True)",
        (
            r"(\w+)\.append\(((?:\{|dict\().*[})])(?:, ?ignore_index=True)?\)",
            r"pd.concat([\1, pd.DataFrame([\2])], ignore_index=True)",
        ),
    ),
    (r"'Series' .* 'append'", "pd.concat([series, other])", None),
    (r"no attribute 'iteritems'", ".items()", (r"\.iteritems\(", ".items(")),
    (r"no attribute 'ix'", ".loc[] or .iloc[]", (r"\.ix\[", ".loc[")),
    (r"no attribute 'as_matrix'", ".to_numpy()", (r"\.as_matrix\(", ".to_numpy(")),
    (r"no attribute 'get_value'", ".at[row, column]", (r"\.get_value\(([^()]*)\)", r".at[\1]")),
    (r"no attribute 'mad'", "(x - x.mean()).abs().mean()", None),
    (r"no attribute 'lookup'", "frame.to_numpy()[row_numbers, column_numbers]", None),
    (r"no attribute 'weekofyear'", ".isocalendar().week", (r"\.weekofyear\b", ".isocalendar().week")),
    (r"argument 'line_terminator'", "lineterminator=", (r"\bline_terminator=", "lineterminator=")),
    (
        r"argument '(error|warn)_bad_lines'",
        "on_bad_lines='skip'",
        (r"\b(error|warn)_bad_lines=\w+", "on_bad_lines='skip'"),
    ),
    (
        r"'numpy' has no attribute '(float|int|bool|object|str)'",
        "the built-in type of the same name",
        (r"\b(?:np|numpy)\.(float|int|bool|object|str)\b", r"\1"),
    ),
    (r"np\.float_|no attribute 'float_'", "np.float64", (r"\bfloat_\b", "float64")),
    (r"np\.NaN|no attribute 'NaN'", "np.nan", (r"\.NaN\b", ".nan")),
    (r"np\.Inf|no attribute 'Inf'", "np.inf", (r"\.Inf\b", ".inf")),
    (r"no attribute 'trapz'", "np.trapezoid", (r"\.trapz\b", ".trapezoid")),
    (r"no attribute 'in1d'", "np.isin", (r"\.in1d\b", ".isin")),
    (r"no attribute 'product'", "np.prod", (r"\.product\(", ".prod(")),
    (r"no attribute 'cumproduct'", "np.cumprod", (r"\.cumproduct\(", ".cumprod(")),
    (r"'ImageDraw' .* 'textsize'", "draw.textbbox((0, 0), text, font=font)", None),
    (r"'FreeTypeFont' .* 'getsize'", "font.getbbox(text)", None),
    (r"'PIL.Image' .* 'ANTIALIAS'", "Image.Resampling.LANCZOS", (r"\bImage\.ANTIALIAS\b", "Image.Resampling.LANCZOS")),
    (
        r"no attribute 'get_feature_names'",
        ".get_feature_names_out()",
        (r"\.get_feature_names\(", ".get_feature_names_out("),
    ),
    (r"argument 'sparse'", "sparse_output=", (r"\bsparse=", "sparse_output=")),
    (
        r"'(Mapping|MutableMapping|Iterable|Iterator|Sequence|Callable|Hashable)'.*'collections'|"
        r"'collections' has no attribute '(Mapping|MutableMapping|Iterable|Iterator|Sequence|Callable|Hashable)'",
        "collections.abc",
        (r"\bcollections\b(?!\.abc)", "collections.abc"),
    ),
    (r"'gcd' from 'fractions'|'fractions' has no attribute 'gcd'", "math.gcd", (r"\bfractions\b", "math")),
    (r"'time' has no attribute 'clock'", "time.perf_counter()", (r"\btime\.clock\(", "time.perf_counter(")),
    (r"'seaborn' has no attribute 'distplot'", "sns.histplot", (r"\.distplot\(", ".histplot(")),
    (r"'seaborn' has no attribute 'factorplot'", "sns.catplot", (r"\.factorplot\(", ".catplot(")),
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
    "pytz": "zoneinfo",
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
    return f"The installed version no longer has this; use instead: {removed[1]}" if removed else None


def missing_module(error: ErrorInfo | None) -> str | None:
    """Return the top-level module whose absence an error tells of, or None."""
    if error is None or error.name != "ModuleNotFoundError":
        return None
    missing = re.search(r"No module named '([^'.]+)", error.value)
    return missing.group(1) if missing else None


def modern_line(error: ErrorInfo, line: str) -> str | None:
    """Return the line that failed with what was removed from a package replaced, or None."""
    removed = _removed(error)
    if removed is None or removed[2] is None:
        return None
    changed = re.sub(removed[2][0], removed[2][1], line)
    return changed if changed != line else None


def _removed(error: ErrorInfo) -> tuple[str, str, tuple[str, str] | None] | None:
    if error.name not in {"AttributeError", "TypeError", "ImportError"}:
        return None
    return next((entry for entry in _REMOVED if re.search(entry[0], error.value)), None)
