"""What Open WebUI and LibreChat send, as it was recorded; the long texts of their own questions are left out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from serving_client import Client

DATA = Path(__file__).with_name("chat_programs")
OPEN_WEBUI, LIBRECHAT = (json.loads((DATA / f"{name}.json").read_text()) for name in ("open_webui", "librechat"))
ENDLESS = "run: import time\nkept = 41\nprint('in it', flush=True)\ntime.sleep(300)"


def ask(client: Client, body: dict[str, Any], **headers: str) -> tuple[str, str | None]:
    """Send a request; return the text of the answer, and its session if it has one."""
    answer = client.post("/v1/chat/completions", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    session = answer.headers.get("x-session-id")
    if not body["stream"]:
        return answer.json()["choices"][0]["message"]["content"], session
    return "".join(content_of(line) for line in answer.text.splitlines()), session


def content_of(line: str) -> str:
    if not line.startswith("data: {"):
        return ""
    choices = json.loads(line[6:])["choices"]
    return (choices[0]["delta"].get("content") or "") if choices else ""


def sessions(client: Client) -> set[str]:
    return {row["id"] for row in client.get("/api/v1/sessions").json()}


def going_on(body: dict[str, Any], *said: str) -> dict[str, Any]:
    """Return the next request of a chat: the answer and the next message, in turn, are added."""
    roles = ["assistant", "user"] * len(said)
    more = [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]
    return {**body, "messages": [*body["messages"], *more]}


@pytest.mark.parametrize("program", [OPEN_WEBUI, LIBRECHAT], ids=["Open WebUI", "LibreChat"])
def test_a_chat_goes_on_in_its_session(client: Client, program: dict[str, Any]) -> None:
    text, session = ask(client, program["chat"])
    assert "````text\n41\n````" in text
    more, same = ask(client, going_on(program["chat"], text, "run: print(kept + 1)"))
    assert "````text\n42\n````" in more
    assert same == session


def test_a_picture_comes_into_the_workspace(client: Client) -> None:
    assert "['image-1.png']" in ask(client, LIBRECHAT["picture"])[0]


@pytest.mark.parametrize(
    "body",
    [*(OPEN_WEBUI[name] for name in ("title", "follow_ups", "tags")), LIBRECHAT["title"]],
    ids=["title", "follow-ups", "tags", "LibreChat's title"],
)
def test_what_a_program_asks_by_itself_makes_no_session(client: Client, body: dict[str, Any]) -> None:
    before = sessions(client)
    text, session = ask(client, body)
    assert text
    assert session is None
    assert sessions(client) == before


def test_code_in_such_an_answer_is_not_run(client: Client) -> None:
    body = going_on(OPEN_WEBUI["chat"])
    text, session = ask(client, {**body, "stream": False}, **{"X-Background-Task": "title_generation"})
    assert text == "Running it.\n```python\nkept = 41\nprint(kept)\n```"
    assert session is None
    assert ask(client, body, **{"X-Background-Task": ""})[1] is not None


def test_an_answer_in_json_is_json(client: Client) -> None:
    text, session = ask(client, LIBRECHAT["structured_title"])
    assert json.loads(text) == {"language": "English", "title": "A plot"}
    assert session is None
    without = {**LIBRECHAT["structured_title"], "messages": [{"role": "user", "content": "say: no"}]}
    answer = client.post("/v1/chat/completions", json=without)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "bad_request")  # not asked again for ever


def test_documents_that_open_webui_found_are_a_message(client: Client) -> None:
    found = "### Task:\nRespond to the user.\n<source id='1'>x</source>\n\nrun: print(6 * 7)"
    text, session = ask(client, {**OPEN_WEBUI["chat"], "messages": [{"role": "user", "content": found}]})
    assert "````text\n42\n````" in text
    assert session is not None


def test_a_chat_that_was_stopped_goes_on_in_its_session(client: Client) -> None:
    body = {**OPEN_WEBUI["chat"], "messages": [{"role": "user", "content": ENDLESS}]}
    kept = ""
    with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        session = answer.headers["x-session-id"]
        for line in answer.iter_lines():
            kept += content_of(line)
            if "````text\nin it" in kept:
                break
    started = time.monotonic()
    text, same = ask(client, going_on(body, kept[:-3], "run: print(kept + 1)"))
    assert same == session
    assert "````text\n42\n````" in text
    assert time.monotonic() - started < 15  # the code that was stopped is not run again
    more, same = ask(client, going_on(body, kept[:-3], "run: print(kept + 1)", text, "run: print(kept + 2)"))
    assert (same, "````text\n43\n````" in more) == (session, True)


def test_another_branch_of_a_chat_does_not_go_on_in_the_session_that_left_it(client: Client) -> None:
    first = {**OPEN_WEBUI["chat"], "messages": [{"role": "user", "content": "run: print('one')"}]}
    text, session = ask(client, first)
    left, same = ask(client, going_on(first, text, "run: branch = 'left'"))
    right, still = ask(client, going_on(first, text, "run: branch = 'right'"))
    assert session == same == still
    shown, other = ask(client, going_on(first, text, "run: branch = 'left'", left, "run: print(branch)"))
    assert "````text\nleft\n````" in shown
    assert other != session
    shown, same = ask(client, going_on(first, text, "run: branch = 'right'", right, "run: print(branch)"))
    assert ("````text\nright\n````" in shown, same) == (True, session)
