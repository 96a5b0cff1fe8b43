"""Adds to a solution what the page that it was written for provides: imports, and the nodes of lists and trees.

Solutions of LeetCode use ``List``, ``deque`` or ``TreeNode`` without saying where they are from; outside of it they are
programs only with these lines above them.
"""

from __future__ import annotations

import ast
import builtins
from typing import Final

_MODULES: Final = {
    "typing": "Any Callable Deque Dict Generator Iterable Iterator List Mapping Optional Sequence Set Tuple Union",
    "collections": "Counter OrderedDict defaultdict deque",
    "functools": "cache cached_property cmp_to_key lru_cache partial reduce",
    "itertools": "accumulate chain combinations combinations_with_replacement count cycle groupby islice pairwise "
    "permutations product repeat takewhile zip_longest",
    "heapq": "heapify heappop heappush heappushpop heapreplace nlargest nsmallest",
    "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
    "math": "ceil comb factorial floor gcd hypot inf isqrt lcm log log2 perm pi sqrt",
    "operator": "add and_ attrgetter itemgetter mul or_ xor",
    "string": "ascii_letters ascii_lowercase ascii_uppercase digits",
    "random": "choice randint randrange shuffle",
    "datetime": "date timedelta",
}
_ORIGIN: Final = {name: module for module, names in _MODULES.items() for name in names.split()}
_MODULE_NAMES: Final = (
    "bisect collections copy datetime functools heapq itertools math operator random re statistics string sys"
)
_WHOLE: Final = frozenset(_MODULE_NAMES.split())
_NODES: Final = {
    "ListNode": """\
class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next
""",
    "TreeNode": """\
class TreeNode:
    def __init__(self, val=0, left=None, right=None):
        self.val = val
        self.left = left
        self.right = right
""",
}


def missing_lines(code: str) -> str:
    """Return the lines that a solution needs above it; empty if it needs none, or cannot be read."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    if any(
        isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names) for node in ast.walk(tree)
    ):
        return ""
    unknown, modules = _unknown(tree)
    whole = sorted(name for name in unknown if name in _WHOLE and name in modules)
    wanted: dict[str, list[str]] = {}
    for name in sorted(unknown - set(whole)):
        if name in _ORIGIN:
            wanted.setdefault(_ORIGIN[name], []).append(name)
    lines = [f"import {name}" for name in whole]
    lines += [f"from {module} import {', '.join(names)}" for module, names in sorted(wanted.items())]
    parts = ["\n".join(lines)] if lines else []
    parts += [_NODES[name].rstrip() for name in _NODES if name in unknown]
    return "\n\n\n".join(parts)


def completed(code: str) -> str:
    """Return a solution with the lines that it needs above it."""
    above = missing_lines(code)
    body = code.strip("\n").rstrip()
    return f"{above}\n\n\n{body}" if above else body


def _unknown(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Return the names that are used and defined nowhere, and those of them that are used as modules."""
    used: set[str] = set()
    modules: set[str] = set()
    known = set(dir(builtins))
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name):
                known.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                known.update((alias.asname or alias.name).split(".")[0] for alias in names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                known.add(name)
            case ast.arg(arg=name):
                known.add(name)
            case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
                known.add(name)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            modules.add(node.value.id)
    return used - known, modules
