"""The other side: a kernel as ``jupyter_client`` starts and asks it, and the engine as ``xllamacpp`` offers it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from jupyter_client.manager import KernelManager

from opencodeinterpreter import Message

_SECONDS = 60


class BareKernel:
    """An ipykernel without a jail, over TCP on the loopback, as ``jupyter_client`` starts it by default.

    The constructor waits until it is ready.
    """

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="bare-kernel-")
        folder = Path(self._folder.name)
        self._manager: Any = KernelManager(
            kernel_name=NATIVE_KERNEL_NAME, connection_file=str(folder / "connection.json")
        )
        self._manager.start_kernel(
            cwd=str(folder),
            env={**os.environ, "IPYTHONDIR": str(folder / "ipython")},
            stderr=subprocess.DEVNULL,  # it warns of the very transport that it is started with
        )
        self._client: Any = self._manager.client()
        try:
            self._client.start_channels()
            self._client.wait_for_ready(timeout=_SECONDS)
        except BaseException:
            self.close()
            raise

    def run(self, code: str) -> str:
        """Run code and return the text of its result."""
        texts: list[str] = []

        def keep(message: Any) -> None:
            texts.append(message["content"].get("data", {}).get("text/plain", ""))

        self._client.execute_interactive(code, allow_stdin=False, output_hook=keep, timeout=_SECONDS)
        return "".join(texts)

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


@dataclass
class Reply:
    """What a model wrote, and when, in seconds of the monotonic clock."""

    started: float
    text: str = ""
    tokens: int = 0
    first: float = 0.0
    """Of the first text."""
    last: float = 0.0

    def add(self, text: str) -> None:
        if text:
            self.last = time.monotonic()
            self.first = self.first or self.last
            self.text += text

    @property
    def rate(self) -> float:
        """Tokens a second after the first one, whose time is that of the prompt."""
        return (self.tokens - 1) / (self.last - self.first)

    @property
    def whole_rate(self) -> float:
        """Tokens a second from the request on."""
        return self.tokens / (self.last - self.started)


class BareEngine:
    """``xllamacpp`` with the same model, context and threads, and all else as it comes.

    ``xllamacpp`` cannot close an engine; it goes with its last reference.
    """

    def __init__(self, path: Path, context_tokens: int, threads: int) -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = context_tokens
        params.n_parallel = 1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.verbosity = -1
        self._server = xllamacpp.Server(params)

    def reply(self, messages: Sequence[Message], max_tokens: int) -> Reply:
        """Return the greedy reply, which the engine hands over piece by piece."""
        reply = Reply(time.monotonic())

        def receive(chunk: Any) -> bool:
            for choice in chunk.get("choices", ()):
                reply.add(choice.get("delta", {}).get("content") or "")
            if "timings" in chunk:
                reply.tokens = chunk["timings"]["predicted_n"]
            return False

        request = {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": max_tokens,
            "temperature": 0.0,
            "stream": True,
        }
        self._server.handle_chat_completions(request, receive)
        return reply
