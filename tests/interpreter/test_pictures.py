"""A model that sees gets figures and uploaded pictures, small, the last few of them; all others get what they got."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from opencodeinterpreter import Interpreter, Message, Sandbox, ScriptedModel
from opencodeinterpreter.dialog import Dialog, Picture
from opencodeinterpreter.interpreter import SessionStore
from opencodeinterpreter.interpreter.pictures import IN_CONTEXT, LONGEST_SIDE, latest, small
from opencodeinterpreter.models import Endpoint, ModelSettings, load_model

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from http_server import Call, serving

sys.path.pop(0)

DRAW = """```python
from IPython.display import Image, display
import io, PIL.Image
for colour in ("red", "blue"):
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (2000, 500), colour).save(buffer, "PNG")
    display(Image(data=buffer.getvalue()))
print("drawn")
```"""


def png(width: int, height: int, colour: Any = "green", mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


class Served:
    """A stand-in of the OpenAI API that gives replies in order, and keeps what it was asked."""

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.requests: list[list[dict[str, Any]]] = []

    def __call__(self, call: Call) -> None:
        self.requests.append(call.body["messages"])
        message = {"role": "assistant", "content": self.replies.pop(0)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        call.answer(200, {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


def shown(message: dict[str, Any]) -> list[Image.Image]:
    """Return the pictures of a message as it came."""
    assert [part["type"] for part in message["content"]] == ["text"] + ["image_url"] * (len(message["content"]) - 1)
    urls = [part["image_url"]["url"] for part in message["content"][1:]]
    assert all(url.startswith(("data:image/png;base64,", "data:image/jpeg;base64,")) for url in urls)
    return [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "photo.png"
    path.write_bytes(png(300, 100))
    return path


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


def asked(sandbox: Sandbox, picture: Path, vision: bool, tmp_path: Path) -> tuple[list[list[dict[str, Any]]], str]:
    """Do one task with a picture and a round that draws; return what the endpoint was asked, and the session's log."""
    answers = Served(DRAW, "Two stripes.", "As I said.")
    with serving(answers) as server, SessionStore(tmp_path).create(model="m") as session:
        settings = ModelSettings(endpoint=Endpoint(f"{server.url}/v1", "k", vision=vision))
        model = load_model("openai:m", settings=settings)
        with Interpreter(model, sandbox=sandbox, session=session) as it:
            it.run("Look at the photo and draw.", files=[picture])
            it.run("And what is on it?")
        model.close()
        return answers.requests, (session.folder / "events.jsonl").read_text()


def text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    return re.sub(r"photo[ \d()-]*\.png", "photo.png", text)  # of the same name, it gets a number


def test_what_a_model_that_sees_is_sent(sandbox: Sandbox, picture: Path, tmp_path: Path) -> None:
    requests, log = asked(sandbox, picture, True, tmp_path)
    system, task = requests[0]
    assert isinstance(system["content"], str)
    assert "photo.png" in task["content"][0]["text"]
    assert [image.size for image in shown(task)] == [(300, 100)]
    feedback = requests[1][-1]
    assert "2 figures shown to the user." in feedback["content"][0]["text"]
    figures = shown(feedback)
    assert [image.size for image in figures] == [(LONGEST_SIDE, LONGEST_SIDE // 4)] * 2
    assert [image.convert("RGB").getpixel((0, 0)) for image in figures] == [(255, 0, 0), (0, 0, 255)]
    assert requests[2][:4] == [*requests[1][:4]]  # the same pictures, in the same bytes
    sent = task["content"][1]["image_url"]["url"].partition(",")[2]
    assert sent not in log


def test_for_all_others_it_is_text_and_the_same_text(sandbox: Sandbox, picture: Path, tmp_path: Path) -> None:
    plain, _ = asked(sandbox, picture, False, tmp_path / "a")
    seeing, _ = asked(sandbox, picture, True, tmp_path / "b")
    assert all(isinstance(row["content"], str) for rows in plain for row in rows)
    assert [list(map(text_of, rows)) for rows in plain] == [list(map(text_of, rows)) for rows in seeing]


def test_pictures_come_back_with_a_resumed_session(sandbox: Sandbox, picture: Path, tmp_path: Path) -> None:
    class Seeing(ScriptedModel):
        sees_images = True

    store = SessionStore(tmp_path)
    with store.create(model="m") as session, Interpreter(Seeing([DRAW, "Done."]), session=session) as it:
        it.run("Draw.", files=[picture])
        dialog = it.dialog
    model = Seeing(["Yes."])
    with store.open(session.id) as session, Interpreter(model, session=session) as it:
        it.run("Do you see it?")
    assert [len(message.pictures) for message in model.requests[0]] == [0, 1, 0, 2, 0, 0]
    row = dialog.to_json()
    assert row["messages"][3]["meta"]["pictures"] == ["figure 1", "figure 2"]
    assert len(json.dumps(row)) < 10_000
    assert Dialog.from_json(row).messages[3].content == dialog.messages[3].content


def test_only_the_last_pictures_are_shown() -> None:
    messages = [
        Message("user", str(n), pictures=(Picture(f"a{n}", "image/png", b""), Picture(f"b{n}", "image/png", b"")))
        for n in range(IN_CONTEXT)
    ]
    kept = latest(messages)
    assert [message.content for message in kept] == [message.content for message in messages]
    names = [picture.name for message in kept for picture in message.pictures]
    assert len(names) == IN_CONTEXT
    assert names[-1] == f"b{IN_CONTEXT - 1}"
    assert latest(kept) == kept


def test_small_pictures_stay_photographs_become_jpeg_and_what_is_none_is_left_out() -> None:
    kept = small(png(10, 20))
    assert kept is not None
    assert kept.media == "image/png"
    noise = Image.effect_noise((1000, 1000), 90)
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    photograph = small(buffer.getvalue())
    assert photograph is not None
    assert photograph.media == "image/jpeg"
    assert max(Image.open(io.BytesIO(photograph.data)).size) == LONGEST_SIDE
    clear = small(png(4, 4, (0, 0, 0, 0), "RGBA"))
    assert clear is not None
    assert Image.open(io.BytesIO(clear.data)).getpixel((0, 0)) == (255, 255, 255)
    for bad in (b"", b"not a picture", png(5, 5)[:40], png(20_000, 20_000, 0, "1"), b"%!PS-Adobe-3.0 EPSF\n"):
        assert small(bad) is None
