"""Causes of errors that a model tends to miss: what the sandbox lacks, and what its packages no longer have.

About the sandbox and its packages, never about a task.
"""

from __future__ import annotations

import re

from opencodeinterpreter.sandbox.base import ErrorInfo

# From the release notes of pandas 1.0-2.2, NumPy 1.24-2.2, SciPy 1.14, scikit-learn 1.0-1.2 and Python 3.10-3.13.
# Models learned from code that is older.
_REMOVED = {
    r"'DataFrame' object has no attribute 'append'": "pd.concat([frame, other], ignore_index=True)",
    r"'Series' object has no attribute 'append'": "pd.concat([series, other])",
    r"object has no attribute 'iteritems'": ".items()",
    r"object has no attribute 'ix'": ".loc[] or .iloc[]",
    r"object has no attribute 'as_matrix'": ".to_numpy()",
    r"object has no attribute 'get_value'": ".at[row, column]",
    r"object has no attribute 'mad'": "(x - x.mean()).abs().mean()",
    r"object has no attribute 'lookup'": "frame.to_numpy()[row_numbers, column_numbers]",
    r"object has no attribute 'weekofyear'": ".isocalendar().week",
    r"unexpected keyword argument 'line_terminator'": "lineterminator=",
    r"unexpected keyword argument '(error|warn)_bad_lines'": "on_bad_lines='skip'",
    r"module 'pandas' has no attribute '(Int64Index|Float64Index)'": "pd.Index",
    r"module 'numpy' has no attribute '(float|int|bool|object|str)'": "the built-in type of the same name",
    r"'np\.float_' was removed|has no attribute 'float_'": "np.float64",
    r"'np\.NaN' was removed|has no attribute 'NaN'": "np.nan",
    r"has no attribute '(trapz)'": "np.trapezoid",
    r"has no attribute '(product|cumproduct|alltrue|sometrue)'": "np.prod, np.cumprod, np.all, np.any",
    r"'ImageDraw' object has no attribute 'textsize'": "draw.textbbox((0, 0), text, font=font)",
    r"'FreeTypeFont' object has no attribute 'getsize'": "font.getbbox(text)",
    r"module 'PIL.Image' has no attribute 'ANTIALIAS'": "Image.Resampling.LANCZOS",
    r"has no attribute 'get_feature_names'": ".get_feature_names_out()",
    r"unexpected keyword argument 'sparse'": "sparse_output=",
    r"cannot import name '(Mapping|MutableMapping|Iterable|Sequence|Callable)' from 'collections'": "collections.abc",
    r"module 'collections' has no attribute '(Mapping|Iterable|Sequence|Callable)'": "collections.abc",
    r"module 'fractions' has no attribute 'gcd'|cannot import name 'gcd' from 'fractions'": "math.gcd",
    r"module 'time' has no attribute 'clock'": "time.perf_counter()",
    r"module 'seaborn' has no attribute '(distplot|factorplot)'": "sns.histplot, sns.catplot",
}


def hint(error: ErrorInfo | None) -> str | None:
    """Return one sentence on the likely cause of an error, or None."""
    if error is None:
        return None
    if error.name == "ModuleNotFoundError":
        missing = re.search(r"No module named '([^']+)'", error.value)
        name = missing.group(1).split(".")[0] if missing else "this package"
        return f"{name} is not installed in the sandbox, and nothing can be installed. Use a package that is there."
    if error.name in {"URLError", "gaierror", "ConnectionError"}:
        return "The sandbox has no network."
    if error.name == "TypeError" and re.search(r"agg function failed|does not support operation", error.value):
        # pandas 1 left text columns out by itself, and models still count on it.
        return "Choose the number columns before the mean or sum: frame.groupby(keys)['column'].mean()."
    for pattern, instead in _REMOVED.items():
        if re.search(pattern, error.value):
            return f"The installed version no longer has this; use instead: {instead}"
    return None
