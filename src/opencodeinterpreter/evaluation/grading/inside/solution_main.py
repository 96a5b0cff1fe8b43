"""Runs a solution on inputs, inside the jail, and reports what each call gave.

Nothing in here is a defence: the solution shares this process and may change all of it. The host takes every byte
that leaves the jail for the solution's own word, compares it with outputs that are never in here, and measures and
ends what runs too long. What is written here is for solutions that mean no harm: each value leaves as what it is.

Stands alone, for the package is not visible inside; imports little, for it starts once for every solution.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls, allow-any-generics
# ruff: noqa: ARG001, PTH120, PTH123, S102, S302, S307, UP031 - executes code, imports little, writes braces

from __future__ import annotations

import marshal
import math
import os
import struct
import sys
from time import process_time_ns

try:
    from _json import encode_basestring_ascii as _text
except ImportError:  # an interpreter without the C part
    from json.encoder import py_encode_basestring_ascii as _text

NAME = "solution"
FILE = "<solution>"
HEADER = struct.Struct("<16scIQI")
"""Nonce, kind, number of the call, nanoseconds of CPU, bytes that follow."""
MOST_DEPTH = 100
FEW_NODES, MOST_NODES = 100_000, 2_000_000
MOST_BYTES = 30 << 20
CHUNK = 5000
MANY = 16
"""Items from which it pays to look whether they are alike."""
LONG_TEXT = 200_000
"""Characters from which a text is sent as its digest."""
SHOWN_CHARACTERS = 2000
"""Of either end of such a text."""
MOST_DIGITS = 1000
"""Of numbers whose arithmetic on the host takes more than linear time."""
ERROR_CHARACTERS = 4000
SMALL = 1 << 63
STACK_BYTES = 512 << 20


class NotPlainError(Exception):
    """A value that is no data."""


class TooMuchError(Exception):
    """Data that is too much to be sent."""


def encode(value, most_nodes):
    """Return a value as JSON text with tags for what JSON lacks.

    Raises:
        TooMuchError: if that is more work, or a longer text, than allowed.
    """
    budget = [most_nodes]
    try:
        text = _encode(value, 0, budget)
    except (NotPlainError, RecursionError):
        return _opaque(type(value))
    if len(text) > MOST_BYTES:
        raise TooMuchError
    return text


def encode_large(value):
    """Return the same for a value of many items, or its digest if there are more than can be sent."""
    try:
        return encode(value, MOST_NODES)
    except TooMuchError:
        return digest(value)


def digest(value):
    """Return what stands for a value of more data than can be sent: equal for two only if all in them is the same."""
    import hashlib

    found = hashlib.sha256()
    kind = type(value)
    try:
        if kind in (list, tuple):
            for start in range(0, len(value), CHUNK):
                found.update(_content(value[start : start + CHUNK]))
        else:
            found.update(marshal.dumps(value, 2))
    except ValueError:  # objects of other types in it
        return _opaque(kind)
    return '{"h":["%s","%s"]}' % (kind.__name__, found.hexdigest())


def _content(values):
    """Return bytes that tell these values from others."""
    from itertools import chain

    # The hash of a text is kept with it, so that millions of tuples of the same few texts take less time than to write
    # each text again. (Numbers would not do: -1 and -2 have the same.)
    if set(map(type, values)) == {tuple} and set(map(type, chain.from_iterable(values))) == {str}:
        return b"%d" % hash(tuple(values))
    return marshal.dumps(values, 2)


def _encode(value, depth, budget):
    kind = type(value)
    if kind is str:
        return _text(value) if len(value) < LONG_TEXT else _long_text(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return repr(value) if -SMALL < value < SMALL else '{"i":"%x"}' % value
    if value is None:
        return "null"
    if kind is float:
        return _float(value)
    if depth > MOST_DEPTH:
        raise NotPlainError
    writer = _WRITERS.get(kind)
    return writer(value, depth + 1, budget) if writer else _other(value, kind, depth, budget)


def _float(value):
    if value - value == 0:
        return repr(value)
    return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")


def _items(values, depth, budget):
    budget[0] -= len(values)
    if budget[0] < 0:
        raise TooMuchError
    alike = _alike(values) if len(values) >= MANY else None
    return alike or "[" + ",".join([_encode(value, depth, budget) for value in values]) + "]"


def _alike(values):
    """Return many values that are all texts, or all usual numbers, as JSON text, written at C's speed; else None.

    Numbers are sent as marshal writes them, which takes far less time than to write their texts.
    """
    kinds = set(map(type, values))
    if kinds == {str}:
        return "[" + ",".join(map(_text, values)) + "]" if max(map(len, values)) < LONG_TEXT else None
    if not kinds <= {int, float}:
        return None
    try:
        usual = math.isfinite(sum(values)) or all(map(math.isfinite, values))
    except OverflowError:  # an integer beyond all floats
        return None
    return _numbers(values) if usual else None


def _numbers(values):
    from binascii import b2a_base64

    return '{"n":"%s"}' % b2a_base64(marshal.dumps(list(values), 2), newline=False).decode()


def _long_text(value):
    import hashlib

    found = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    ends = _text(value[:SHOWN_CHARACTERS]), _text(value[-SHOWN_CHARACTERS:])
    return '{"h":["str","%s",%s,%s]}' % (found, *ends)


def _tagged(tag):
    return lambda values, depth, budget: '{"%s":%s}' % (tag, _items(values, depth, budget))


def _dict(value, depth, budget):
    return '{"d":%s}' % _items([item for pair in dict.items(value) for item in pair], depth, budget)


def _complex(value, depth, budget):
    return '{"c":[%s,%s]}' % (_float(value.real), _float(value.imag))


def _bytes(value, depth, budget):
    return '{"b":"%s"}' % value.hex()


def _bytearray(value, depth, budget):
    return '{"B":"%s"}' % value.hex()


def _range(value, depth, budget):
    return '{"r":%s}' % _items((value.start, value.stop, value.step), depth, budget)


_WRITERS = {
    list: _items,
    tuple: _tagged("t"),
    set: _tagged("s"),
    frozenset: _tagged("f"),
    type({}.keys()): _tagged("k"),
    type({}.items()): _tagged("m"),
    dict: _dict,
    complex: _complex,
    bytes: _bytes,
    bytearray: _bytearray,
    range: _range,
}
_BASES = (str, int, float, list, tuple, dict, set, frozenset, complex, bytes)
_COMPARED_AS_BASE = {("collections", "Counter"), ("collections", "OrderedDict")}
"""Types with an equality of their own that to a plain value of their base is the base's."""
_NUMPY = {"b": bool, "i": int, "u": int, "f": float, "c": complex, "U": str}


def _other(value, kind, depth, budget):
    """Return what is of no built-in type: as the data that it holds, where comparing it compares data."""
    name = (kind.__module__, kind.__qualname__)
    if name == ("collections", "deque"):
        return '{"q":%s}' % _items(value, depth + 1, budget)
    if name == ("decimal", "Decimal") and len(str(value)) <= MOST_DIGITS:
        return '{"D":%s}' % _text(str(value))
    if name == ("fractions", "Fraction") and max(abs(value.numerator), value.denominator) < 1 << MOST_DIGITS:
        return '{"F":["%x","%x"]}' % (value.numerator, value.denominator)
    plain = _numpy_scalar(value, kind)
    if plain is None:
        plain = _base_value(value, kind, name)
    return '{"x":[%s,%s]}' % (_text(".".join(name)[:200]), _encode(plain, depth + 1, budget))


def _numpy_scalar(value, kind):
    numpy = sys.modules.get("numpy")
    if numpy is None or kind.__module__ != "numpy" or not isinstance(value, numpy.generic):
        return None
    convert = _NUMPY.get(value.dtype.kind)
    return convert(value) if convert else None


def _base_value(value, kind, name):
    for base in _BASES:
        if base in kind.__mro__:
            if kind.__eq__ is base.__eq__ or name in _COMPARED_AS_BASE:
                # Through the base's own methods, for the type may have others.
                return base(base.__iter__(value)) if base in (list, tuple, set, frozenset) else _CONVERTERS[base](value)
            break
    raise NotPlainError


_CONVERTERS = {
    str: lambda value: str.__getitem__(value, slice(None)),
    int: lambda value: int.__add__(value, 0),
    float: lambda value: float.__add__(value, 0.0),
    complex: lambda value: complex.__add__(value, 0),
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    dict: lambda value: dict(dict.items(value)),
}


def _opaque(kind):
    name = f"{kind.__module__}.{kind.__qualname__}" if type(kind) is type else "object"
    return '{"o":%s}' % _text(name[:200])


def describe(error, code):
    """Return an exception as JSON: its type, its text, its traceback without the frames of this file."""
    name, memory = type(error).__name__, isinstance(error, MemoryError)
    try:
        text = _traceback(error, code)
    except BaseException:
        text = name
    if len(text) > ERROR_CHARACTERS:
        text = text[: ERROR_CHARACTERS // 2] + "\n...\n" + text[-ERROR_CHARACTERS // 2 :]
    return "[%s,%s,%s]" % (_text(name), _text(text), "true" if memory else "false")


def _traceback(error, code):
    import linecache
    import traceback

    linecache.cache[FILE] = (len(code), None, code.splitlines(True), FILE)
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    report = traceback.TracebackException(type(error), error, frames, limit=-20)
    return "".join(report.format(chain=False)).strip()


class Channel:
    """The way out: frames that carry the run's nonce, so that nothing else is taken for one by accident."""

    def __init__(self, path, nonce):
        # Not waiting for a reader: where there is none, the grader has been killed, and this must not stay.
        self._descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(self._descriptor, True)
        self._nonce = nonce
        self._write = os.write

    def send(self, kind, number=0, spent=0, text=""):
        body = text.encode("ascii")
        data = HEADER.pack(self._nonce, kind, number, spent, len(body)) + body
        written = self._write(self._descriptor, data)
        if written < len(data):
            rest = memoryview(data)
            while written < len(data):
                written += self._write(self._descriptor, rest[written:])


def prepare(packages):
    """Make the process what a program may expect: no input, nobody reading its output, a deep stack."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    # Until 3.11, and in C code since, deep recursion takes stack; within the default it would be a crash.
    soft = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(sink, stream)
    os.close(sink)
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(__file__)] + packages
    sys.argv[:] = [NAME]


def load(code, entry_point):
    """Execute the program as a module of its own and return its names and the function asked for."""
    module = type(sys)(NAME)
    sys.modules[NAME] = module
    names = module.__dict__
    exec(compile(code, FILE, "exec", dont_inherit=True), names)
    return names, names[entry_point] if entry_point else None


def call(function, names, wanted):
    if isinstance(wanted, bytes):
        return function(*marshal.loads(wanted))
    # The prompts of MBPP compare by math.isclose, whatever a solution imports.
    return eval(compile(wanted, "<expression>", "eval", dont_inherit=True), {"math": math, **names})


def _depth(frames):
    return 0 if frames is None else 1 + _depth(frames.tb_next)


def main(pipe, job_file):
    """Run the job; send "s" when the solution is about to begin, "l" once loaded, then one frame a call.

    Before a value that takes long to send, "b" says that the call is over.
    """
    with open(job_file, "rb") as file:
        job = marshal.load(file)
    channel = Channel(pipe, job["nonce"])
    code = job["code"]
    prepare(job["packages"])
    channel.send(b"s")
    before = process_time_ns()
    try:
        names, function = load(code, job["entry_point"])
    except KeyError as error:
        missing = error.args == (job["entry_point"],) and _depth(error.__traceback__) == 2
        text = f"there is no {job['entry_point']} in the program"
        channel.send(b"f", 0, process_time_ns() - before, describe(NameError(text) if missing else error, code))
        os._exit(1)
    except BaseException as error:
        channel.send(b"f", 0, process_time_ns() - before, describe(error, code))
        os._exit(1)
    channel.send(b"l", 0, process_time_ns() - before)
    for number, wanted in enumerate(job["calls"]):
        before = process_time_ns()
        try:
            value = call(function, names, wanted)
        except BaseException as error:
            channel.send(b"e", number, process_time_ns() - before, describe(error, code))
        else:
            spent = process_time_ns() - before
            try:
                text = encode(value, FEW_NODES)
            except TooMuchError:
                channel.send(b"b", number, spent)
                text = encode_large(value)
            channel.send(b"v", number, spent, text)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
