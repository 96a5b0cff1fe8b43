"""Pictures in terminals that can draw them: the kitty, iTerm2 and sixel protocols."""

from __future__ import annotations

import base64
import io

from rich.console import Console

_CHUNK = 4096
_WIDEST = 900
"""Pixels; wider sixel pictures are made smaller, since a terminal does not say how wide it is."""


def draw(console: Console, png: bytes, protocol: str) -> None:
    """Draw a PNG picture at the cursor; nothing where ``protocol`` is "none" or the picture is broken."""
    sequence = {"kitty": kitty, "iterm2": iterm2, "sixel": sixel}.get(protocol)
    if sequence is None:
        return
    text = sequence(png)
    if text:
        console.file.write(text + "\n")
        console.file.flush()


def kitty(png: bytes) -> str:
    """Return the picture in kitty's graphics protocol, in chunks of 4,096 characters."""
    content = base64.standard_b64encode(png).decode()
    chunks = [content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK)]
    parts = []
    for number, chunk in enumerate(chunks):
        more = int(number < len(chunks) - 1)
        # q=2: the terminal is not to answer, since nobody reads the answer.
        keys = f"a=T,f=100,q=2,m={more}" if number == 0 else f"m={more}"
        parts.append(f"\x1b_G{keys};{chunk}\x1b\\")
    return "".join(parts)


def iterm2(png: bytes) -> str:
    """Return the picture in iTerm2's inline image protocol."""
    content = base64.standard_b64encode(png).decode()
    return f"\x1b]1337;File=inline=1;size={len(png)};preserveAspectRatio=1:{content}\x07"


def sixel(png: bytes) -> str:
    """Return the picture as sixels in at most 64 colours; empty if it is not a picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png)) as opened:
            opened.thumbnail((_WIDEST, _WIDEST))
            picture = Image.new("RGB", opened.size, "white")
            rgba = opened.convert("RGBA")
            picture.paste(rgba, mask=rgba.getchannel("A"))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return ""
    indexed = picture.quantize(64)
    width, height = indexed.size
    palette = indexed.getpalette() or []
    pixels = indexed.tobytes()
    parts = [f'\x1bPq"1;1;{width};{height}']
    for number in range(len(palette) // 3):
        red, green, blue = (value * 100 // 255 for value in palette[number * 3 : number * 3 + 3])
        parts.append(f"#{number};2;{red};{green};{blue}")
    for top in range(0, height, 6):
        rows = [pixels[row * width : (row + 1) * width] for row in range(top, min(top + 6, height))]
        parts.append("$".join(_band(rows, colour) for colour in sorted(set().union(*rows))) + "-")
    return "".join(parts) + "\x1b\\"


def _band(rows: list[bytes], colour: int) -> str:
    """Return one colour's part of six rows, runs of the same sixel written once."""
    bits = [0] * len(rows[0])
    for bit, row in enumerate(rows):
        column = row.find(colour)
        while column >= 0:
            bits[column] |= 1 << bit
            column = row.find(colour, column + 1)
    out, start = [f"#{colour}"], 0
    while start < len(bits):
        end = start
        while end < len(bits) and bits[end] == bits[start]:
            end += 1
        sign = chr(63 + bits[start])
        out.append(f"!{end - start}{sign}" if end - start > 3 else sign * (end - start))
        start = end
    return "".join(out)
