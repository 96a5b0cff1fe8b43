"""A real browser without a window, spoken to over a pipe: enough to press keys, ask the page and look at it."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KEYS = {"ArrowDown": 40, "ArrowUp": 38, "End": 35, "Home": 36, "Tab": 9, "Enter": 13, "Escape": 27, "/": 191}


def browser_program() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


class Browser:
    """One page in a browser of its own. All that it asks for and complains of is kept."""

    def __init__(self, profile: Path, seconds: float = 60.0) -> None:
        program = browser_program()
        assert program is not None
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._seconds, self._number, self._buffer = seconds, 0, b""
        self._loaded = 0
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
        flags += ["--disable-background-networking", f"--user-data-dir={profile}", "about:blank"]
        # The browser reads commands from descriptor 3 and answers on 4; the shell puts ours there.
        shell = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", shell, program, *flags],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = ours_in, ours_out
        target = next(each for each in self.send("Target.getTargets")["targetInfos"] if each["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Give a command and return its result."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session := getattr(self, "_session", None):
            command["sessionId"] = session
        os.write(self._out, json.dumps(command).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return dict(message["result"])

    def open(self, path: Path, fragment: str = "") -> None:
        # By way of an empty page: another fragment of the page that is there would load nothing.
        for address in ("about:blank", path.as_uri() + fragment):
            loaded = self._loaded
            self.send("Page.navigate", url=address)
            while self._loaded == loaded:
                self._read()

    def ask(self, expression: str) -> Any:
        """Return the value of an expression of the page."""
        # Commands of the debugger are not under the page's policy, so that the page can keep its own.
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait for an expression to hold."""
        deadline = time.monotonic() + self._seconds
        while not (value := self.ask(expression)):
            assert time.monotonic() < deadline, f"never came true: {expression}"
            time.sleep(0.02)
        return value

    def press(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            extra = text if kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=KEYS[key], **extra)

    def shape(self, width: int, height: int, scheme: str = "light") -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def _read(self) -> dict[str, Any]:
        deadline = time.monotonic() + self._seconds
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            piece = os.read(self._in, 1 << 20)
            assert piece, "the browser has ended"
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded += 1
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(message["params"]["exceptionDetails"]))
            case "Log.entryAdded":
                self.complaints.append(str(message["params"]["entry"]["text"]))
        return message
