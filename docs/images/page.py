"""Takes the pictures of the web page, light and dark, in a browser.

    .venv/bin/python docs/images/page.py

The server, the sandbox, the code and what it gives are real; what the model says is the script below, so that the same
pictures can be taken again. Nothing of what the page shows is changed. Needs Chromium, and playwright of the tools of
development.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

FOLDER = Path(__file__).parent
WIDTH, HEIGHT, SCALE = 1280, 1130, 1.5
"""Of the window in CSS pixels, and what one of them takes in the picture."""
SECONDS = 120
LONGEST_CELL = 5.0
"""Seconds that the shown cell may take: on a busy machine it tells of the machine, not of the program."""

EARLIER = {
    "How many days are there from 2024-02-10 to 2025-03-01?": [
        "```python\nfrom datetime import date\n\nprint((date(2025, 3, 1) - date(2024, 2, 10)).days)\n```",
        "There are **385** days.",
    ],
    "Which numbers below 50 are prime?": [
        "```python\nprint([n for n in range(2, 50) if all(n % d for d in range(2, n))])\n```",
        "There are 15 of them, from 2 to 47.",
    ],
}
"""Task → replies, of sessions that are only seen in the list."""
LOOKED_AT = {
    "What is in sales.csv?": [
        """I look at its size and its first rows.

```python
import matplotlib.pyplot as plt
import pandas as pd

frame = pd.read_csv("sales.csv", parse_dates=["day"])
print(len(frame), "rows")
frame.head(3)
```""",
        "One row a day of 2024, with the region and the amount in EUR.",
    ],
    "Draw revenue by month and save it as months.png": [
        """I sum the amounts by month and draw them.

```python
months = frame.groupby(frame.day.dt.strftime("%b"), sort=False).amount.sum().round(2)
ax = months.plot.bar(figsize=(7.6, 2.1), color="#4c7fd9", rot=0, xlabel="", ylabel="revenue (EUR)")
ax.spines[["top", "right"]].set_visible(False)
plt.savefig("months.png")
plt.show()
months.nlargest(3).to_frame("revenue").reset_index(names="month")
```""",
        "**August** sold most, **May** least. The figure is in `months.png`.",
    ],
}
"""Task → replies, of the session in the picture; its last turn is what is seen. What it imports and how long that takes
is in the first."""


def sales() -> str:
    """Return a year of made-up sales as CSV, the same each time."""
    chance, text = random.Random(11), io.StringIO()  # noqa: S311 - no secret
    rows = csv.writer(text)
    rows.writerow(["day", "region", "amount"])
    for number in range(366):
        season = 370 + 130 * math.sin(number / 29) + 0.3 * number
        amount = f"{season * chance.uniform(0.7, 1.3):.2f}"
        rows.writerow([date(2024, 1, 1) + timedelta(days=number), chance.choice(["North", "South"]), amount])
    return text.getvalue()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run ``ocint web`` with folders of its own; yields its link."""
    replies = [reply for task in (*EARLIER.values(), *LOOKED_AT.values()) for reply in task]
    (folder / "sales.json").write_text(json.dumps(replies), encoding="utf-8")
    (folder / "sales.csv").write_text(sales(), encoding="utf-8")
    command = [sys.executable, "-m", "opencodeinterpreter", "web", "--no-browser", "--port", "0"]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(folder)}
    # The folder of models is empty, so that only what is offered here is told of.
    program = subprocess.Popen(
        [*command, "-m", "scripted:sales.json"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        link = program.stdout.readline().strip()
        if not link:
            raise SystemExit("ocint web did not start; there is no picture of that")
        yield link
    finally:
        program.send_signal(signal.SIGINT)
        program.wait(timeout=60)


def do(page: Page, task: str) -> None:
    """Give a task and wait for the end of its turn."""
    before = page.locator(".turn").count()
    page.fill("#task", task)
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(before + 1)
    page.wait_for_selector(".turn:last-child > .end:not([hidden])")
    expect(page.locator("#send")).not_to_contain_text("Stop")


def play(page: Page, folder: Path) -> None:
    """Bring the page to what the picture shows."""
    for task in EARLIER:
        do(page, task)
        page.click("#new")
    page.set_input_files("#picker", folder / "sales.csv")
    expect(page.locator(".attached-file th")).not_to_have_count(0)
    for task in LOOKED_AT:
        do(page, task)
    cell = page.locator(".turn").last.locator(".cell")
    expect(cell).to_have_attribute("data-state", "ok")
    took = cell.locator("time").inner_text()
    if "min" in took or float(took.removesuffix(" s")) > LONGEST_CELL:
        raise SystemExit(f"the cell took {took}; take the pictures when the machine is less busy")
    expect(cell.locator("tbody td").first).to_have_text("Aug")  # what the answer says
    cell.locator("img").evaluate("(image) => image.decode()")
    page.mouse.move(WIDTH / 2, 20)
    page.evaluate("document.activeElement.blur()")
    page.locator("#scroller").evaluate(
        "(each) => each.scrollBy(0, document.querySelector('.turn:last-child').getBoundingClientRect().top"
        " - each.getBoundingClientRect().top - 18)"
    )


def main() -> None:
    program = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if program is None:
        raise SystemExit("no Chromium is installed")
    expect.set_options(timeout=SECONDS * 1000)
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as link, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE, locale="en-US")
        page.set_default_timeout(SECONDS * 1000)
        page.goto(link)
        page.wait_for_selector("#model span:last-child:not(:empty)")
        play(page, Path(name))
        for look in ("light", "dark"):
            page.emulate_media(color_scheme=look, reduced_motion="reduce")
            with Image.open(io.BytesIO(page.screenshot())) as picture:
                picture.save(FOLDER / f"web-{look}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
