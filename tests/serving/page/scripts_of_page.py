"""What the model says in the tests of the page, a script for each."""

from __future__ import annotations


def cell(code: str, before: str = "") -> str:
    return f"{before}\n\n```python\n{code.strip()}\n```\n"


TICKS = """
import time
for number in range(600):
    print('tick', number, flush=True)
    time.sleep(0.1)
"""

RICH = """
import matplotlib.pyplot as plt, pandas as pd
print('first', 6 * 7)
plt.plot([1, 3, 2]); plt.savefig('line.png'); plt.show()
pd.DataFrame({'name': [f'row {n}' for n in range(30)], 'value': range(30)})
"""

HOSTILE_HTML = (
    "<style>b { color: rgb(1, 2, 3) }</style><b id=kept>kept</b><script>document.body.append('script ran')</script>"
    "<img src='http://192.0.2.1/a.png' onerror='document.body.append(1)'><iframe src='http://192.0.2.1/'></iframe>"
    "<link rel=stylesheet href='http://192.0.2.1/a.css'><meta http-equiv=refresh content='0;url=http://192.0.2.1/'>"
    "<a href='javascript:1' onclick='1'>link</a><form action='http://192.0.2.1/'><button>send</button></form>"
)
HOSTILE_TEXT = (
    "<img src=x onerror=\"document.title='taken'\">**bold** <script>document.title='taken'</script>\n\n"
    "[bad](javascript:document.title='taken') [data](data:text/html,x) [good](https://example.org) ![far](https://192.0.2.1/a.png)\n"
)
HOSTILE = f"""
from IPython.display import HTML, SVG, display
display(HTML({HOSTILE_HTML!r}))
display(SVG('<svg xmlns="http://www.w3.org/2000/svg" width="9"><script>top.title="taken"</script></svg>'))
chart = {{"data": [{{"type": "bar", "x": ["a", "b"], "y": [1, 2]}}], "layout": {{"title": {{"text": "Bars"}}}}}}
display({{"application/vnd.plotly.v1+json": chart}}, raw=True)
open("<img src=x onerror=alert(1)>.txt", "w").write("x")
print("<b>not bold</b>")
"""

GREETING = "import ocint_greeting\nprint(ocint_greeting.TEXT)"

LINE_END = """
import sys, time
from IPython.display import HTML, display
sys.stdout.write('one line')
sys.stdout.flush()
display(HTML('<p>between</p>'))
time.sleep(0.5)
print()
"""

FOLDERS = """
import os
os.makedirs('made/deep')
rows = ['name,n', *(f'row {n},{n}' for n in range(250))]
open('made/deep/<img src=x onerror=alert(1)>.csv', 'w').write('\\n'.join(rows))
open('made/page.html', 'w').write("<script>document.title='taken'</script>")
open('zeros.bin', 'wb').write(bytes(100))
"""

CHARTS = """
from IPython.display import display

def chart(*traces, **more):
    figure = {'data': list(traces), 'layout': {'title': {'text': more.pop('title', '')}}}
    display({'application/vnd.plotly.v1+json': figure, **more}, raw=True)

dots = {'type': 'scattergl', 'mode': 'markers', 'x': [1, 2, 3], 'y': [1, 3, 2]}
place = {'type': 'scattermap', 'lat': [48], 'lon': [2]}
PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
chart({'type': 'choropleth', 'locations': ['FRA'], 'z': [1]}, place, title='Lands <b>and</b> places')
chart(dots, place, title='Dots')
chart(place, **{'image/png': PIXEL})
chart(dots, title='All of it')
display({'application/vnd.plotly.v1+json': {'data': [None, 5, {'type': ['x']}], 'layout': None}}, raw=True)
"""

KINDS = """
from IPython.display import display

def chart(**trace):
    display({'application/vnd.plotly.v1+json': {'data': [trace], 'layout': {}}}, raw=True)

chart(type='treemap', labels=['all', 'a', 'b'], parents=['', 'all', 'all'], values=[0, 1, 2])
chart(type='sunburst', labels=['all', 'a', 'b'], parents=['', 'all', 'all'], values=[0, 1, 2])
chart(type='candlestick', x=[1, 2], open=[1, 2], high=[3, 4], low=[0, 1], close=[2, 3])
chart(type='scatterpolar', r=[1, 2, 3], theta=[0, 90, 180], mode='markers')
chart(type='sankey', node={'label': ['a', 'b']}, link={'source': [0], 'target': [1], 'value': [1]})
chart(type='indicator', mode='number', value=7)
chart(type='surface', z=[[1, 2], [3, 4]])
"""

CHART = """
from IPython.display import display
display({"application/vnd.plotly.v1+json": {"data": [{"type": "scattergeo"}]}}, raw=True)
"""

WIDE = """
import pandas as pd
print('wide ' * 60)
print('w' * 300)
pd.DataFrame({f'column number {n}': [n, n * n] for n in range(12)})
"""

COLOURS = """
# A comment, and a decorator below it.
import sys
from functools import cache

import pandas as pd
from IPython.display import display

class Counted(Exception):
    \'\'\'A text of its own.\'\'\'

@cache
def twice(number: int = 21, flag: bool = True) -> str:
    return f'{2 * number:.1f} and {flag!r}' if flag else None

print(twice(), len([1, 2.5e3, 0x1F]))
print('an error that is printed', file=sys.stderr)
open('made.txt', 'w').write('x')
display({'application/vnd.plotly.v1+json': {'data': [{'type': 'treemap'}]}}, raw=True)
pd.DataFrame({'name': [f'row {n}' for n in range(30)], 'value': range(30)})
"""
PROSE = """
Here is **bold**, *soft*, `code` and a [link](https://example.org).

> A quotation.

1. one
2. two

| name | value |
|---|---:|
| a | 1 |

```text
a block that does not run
```
"""

SCRIPTS: dict[str, object] = {
    "plain": [cell("print(6 * 7)", "Let me see."), "It is **42**."],
    "rich": {
        "replies": [
            cell(RICH, "I draw it."),
            cell("1 / 0", "Once more:"),
            cell("print('mended')"),
            "The figure is in `line.png`.",
        ],
        "delay_seconds": 0.002,
    },
    "ticks": [cell(TICKS)],
    "lost": [
        cell("import time\nfor number in range(30):\n    print('tick', number, flush=True)\n    time.sleep(0.1)"),
        "Done.",
    ],
    "flood": [cell("for number in range(60000):\n    print('line', number, 'x' * 20)"), "Done."],
    "approve": [cell("print('first try')"), cell("print('second try')"), "Here it is."],
    "cells": [cell("x = 20\nprint(x + 1)"), "It is 21.", "You have changed it.", "Shown again.", "Something else."],
    "hostile": [cell(HOSTILE, HOSTILE_TEXT), "Nothing happened."],
    "shared": [cell(HOSTILE, HOSTILE_TEXT), "Nothing happened."],
    "upload": [cell("print(open('sales.csv').read())"), "These are the sales."],
    "sessions": [cell("value = 5"), "It is set.", cell("print(value + 1)"), "Six."],
    "line end": [cell(LINE_END), "Done."],
    "folders": [cell(FOLDERS), "They are made."],
    "forks": [
        cell("value = 5\nopen('made.txt', 'w').write('first')", "I set it."),
        "It is set.",
        cell("value = 7\nopen('made.txt', 'w').write('second')"),
        "Now it is another.",
        cell("print('value is', value + 1, open('made.txt').read())"),
        "Seen.",
        "The first one goes on.",
    ],
    "ratings": [cell("print(6 * 7)", "Let me see."), "It is **42**.", "It is a number."],
    "other": ["I am another one."],
    "phone en-US": [cell(WIDE, "A table:"), "It has **12** columns.", "I am the other one."],
    "phone zh-CN": [cell(WIDE, "一张表："), "有 **12** 列。", "我是另一个。"],
    "colours": [cell("1 / 0", "Let me see."), cell(COLOURS, PROSE), "That was **all**.", cell("print('asked')")],
    "tabs": [cell(TICKS), "It was stopped."],
    "chart": [cell(CHART), "Done."],
    "charts": [cell(CHARTS), "They are drawn."],
    "kinds": [cell(KINDS), "They are drawn."],
    "touch": ["I am the first.", "I am the second."],
    "install": [cell(GREETING), "Done.", "Done.", cell(GREETING), "Done."],
}
