"""The plain API, over a real server process: sessions, turns, events, what a person does, files."""

from __future__ import annotations

import json
import threading

from serving_client import Client, message_of, stdout


def test_a_turn_is_done_and_its_events_are_numbered(client: Client) -> None:
    session = client.new(title="Greeting")
    events = client.run(session, "run: x = 20\nprint(x + 1)")
    assert stdout(events) == "21\n"
    numbers = [row["seq"] for row in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert "".join(row["text"] for row in events if row["type"] == "text_delta").startswith("Running it.\n```python")
    assert events[-1]["type"] == "answer"
    assert events[-1]["text"] == "Done."
    assert [row["type"] for row in client.log(session)][-1] == "answer"
    state = client.state(session)
    assert (state["state"], state["turns"], state["seq"]) == ("idle", 1, numbers[-1])
    assert state["title"] == "Greeting"
    assert state["tokens"]["prompt"] > 0
    assert state["sandbox"]["alive"]
    assert stdout(client.run(session, "run: print(x)")) == "20\n"


def test_a_listener_that_comes_back_goes_on_where_it_was(client: Client) -> None:
    session = client.new(model="slow")
    client.do(session, "messages", text="say: " + "one two three four five six seven\n" * 4)
    seen = []
    for row in client.follow(session):
        if "seq" in row:
            seen.append(row)
        if row["type"] == "text_delta":
            break  # the connection is lost
    assert client.state(session)["running"]
    rest = []
    for row in client.follow(session, **{"Last-Event-ID": str(seen[-1]["seq"])}):
        if "seq" in row:
            rest.append(row)
        if row["type"] == "answer":
            break
    assert [row["seq"] for row in seen + rest] == list(range(1, seen[-1]["seq"] + len(rest) + 1))
    text = "".join(row["text"] for row in seen + rest if row["type"] == "text_delta")
    assert text.startswith("one two three")
    assert text.count("seven") == 4


def test_stop_ends_the_code_and_keeps_its_output(client: Client) -> None:
    session = client.new()
    client.do(session, "messages", text="run: print('begun', flush=True)\nwhile True: pass")
    client.until(session, "output_delta")
    assert client.do(session, "stop").json() == {"stopped": True}
    events = client.until(session, "answer")
    assert events[-1]["outcome"] == "stopped"
    assert stdout(events) == "begun\n"
    client.idle(session)
    assert client.do(session, "stop").json() == {"stopped": False}


def test_stop_ends_a_reply_that_is_being_written(client: Client) -> None:
    session = client.new(model="slow")
    client.do(session, "messages", text="say: " + "blah " * 2000)
    client.until(session, "text_delta")
    client.do(session, "stop")
    assert client.until(session, "answer")[-1]["outcome"] == "stopped"


def test_a_busy_session_says_so_and_others_go_on(client: Client) -> None:
    busy, other = client.new(), client.new()
    client.do(busy, "messages", text="run: import time\nprint('in', flush=True)\ntime.sleep(15)")
    client.until(busy, "output_delta")
    refused = client.do(busy, "messages", text="say: no")
    assert refused.status_code == 409
    assert refused.json()["error"]["type"] == "busy"
    assert stdout(client.run(other, "run: print('free')")) == "free\n"
    client.do(busy, "stop")
    client.idle(busy)


def test_code_is_approved_edited_and_rejected_with_a_reason(client: Client) -> None:
    session = client.new(approve=True)
    client.do(session, "messages", text="run: print('mine')")
    client.until(session, "approval_request")
    pending = client.state(session)
    assert pending["state"] == "waiting"
    assert pending["pending"]["code"].strip() == "print('mine')"
    assert client.do(session, "decision", decision="edit", text="print('yours')").status_code == 200
    events = client.until(session, "answer")
    assert stdout(events) == "yours\n"
    client.idle(session)
    assert client.do(session, "decision", decision="approve").status_code == 409
    before = client.do(session, "messages", text="run: print('no')").json()["seq"]
    client.until(session, "approval_request", after=before)
    client.do(session, "decision", decision="reject", text="say: I see")
    events = client.until(session, "answer", after=before)
    assert [(row["verb"], row["text"]) for row in events if row["type"] == "decided"] == [("reject", "say: I see")]
    assert stdout(events) == ""


def test_retry_undo_and_an_edited_message(client: Client) -> None:
    session = client.new()
    client.run(session, "run: n = globals().get('n', 0) + 1\nprint(n)")
    before = client.do(session, "retry").json()["seq"]
    assert stdout(client.until(session, "answer", after=before)) == "2\n"
    client.idle(session)
    before = client.do(session, "edit", turn=0, text="run: print('edited', n)").json()["seq"]
    events = client.until(session, "answer", after=before)
    assert stdout(events) == "edited 2\n"
    assert events[0]["type"] == "undo"
    client.idle(session)
    client.do(session, "undo")
    assert client.do(session, "undo").status_code == 400
    assert client.do(session, "retry").status_code == 400
    assert client.do(session, "edit", turn=0, text="x").status_code == 400


def test_a_cell_is_edited_run_and_commented_on(client: Client) -> None:
    session = client.new()
    events = client.run(session, "run: total = 1\nprint(total)")
    cell = next(row["seq"] for row in events if row["type"] == "code_action_started")
    before = client.do(session, "cells", code="total = 5\nprint(total)", replaces=cell).json()["seq"]
    events = client.until(session, "answer", after=before)
    started = next(row for row in events if row["type"] == "code_action_started")
    assert (started["author"], started["replaces"]) == ("user", cell)
    assert events[-1]["outcome"] == "ran"
    client.idle(session)
    assert client.do(session, "comments", text="name it better", cell=cell).status_code == 202
    assert client.do(session, "comments", text="x", cell=1).status_code == 400
    told = message_of(client.run(session, "say: ok"))
    assert "The user changed the code" not in told  # that stands before it, as a message of its own
    assert "About this code:\n```python\ntotal = 1\nprint(total)\n```\nname it better" in told
    feedback = client.get(f"/api/v1/sessions/{session}/export", params={"to": "jsonl"}).text
    assert "The user changed the code and ran it again" in feedback
    before = client.do(session, "comments", text="and faster", cell=cell, run=True).json()["seq"]
    assert "and faster" in message_of(client.until(session, "answer", after=before))


def test_files_go_in_and_out(client: Client) -> None:
    session = client.new()
    answer = client.post(
        f"/api/v1/sessions/{session}/files",
        files=[("file", ("sales.csv", "region,amount\nnorth,3\nsouth,4\n")), ("file", ("b.bin", b"\0\1"))],
    )
    assert answer.status_code == 201
    sales = answer.json()[0]
    assert sales["path"] == "sales.csv"
    assert "region" in sales["preview"]
    rows = client.get(f"/api/v1/sessions/{session}/rows/sales.csv").json()
    assert rows["columns"] == ["region", "amount"]
    assert rows["rows"] == [["north", "3"], ["south", "4"]]
    events = client.run(
        session,
        "run: import os\nos.makedirs('out')\nprint(open('sales.csv').read().count('th'))\n"
        "open('out/made ü.txt', 'w').write('made')",
        files=["sales.csv"],
    )
    assert "- sales.csv (30 bytes, 3 lines)" in message_of(events)
    assert stdout(events) == "2\n"
    made = next(row for row in events if row["type"] == "answer")["artifacts"][0]
    assert made["path"] == "out/made ü.txt"
    with Client(str(client.base_url), key="") as stranger:
        assert stranger.get(made["url"]).text == "made"
        assert stranger.get(made["url"][:-1] + "x").status_code == 401
        assert stranger.get(f"/api/v1/sessions/{session}/files").status_code == 401
    assert [row["path"] for row in client.get(f"/api/v1/sessions/{session}/files").json()] == [
        "b.bin",
        "out/made ü.txt",
        "sales.csv",
    ]
    got = client.get(f"/api/v1/sessions/{session}/files/sales.csv")
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment")
    assert client.delete(f"/api/v1/sessions/{session}/files/b.bin").status_code == 204
    assert client.get(f"/api/v1/sessions/{session}/files/b.bin").status_code == 404
    assert client.do(session, "messages", text="hi", files=["none.csv"]).status_code == 400


def test_a_figure_comes_by_link(client: Client) -> None:
    session = client.new()
    events = client.run(session, "run: import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    result = next(row for row in events if row["type"] == "execution_finished")["result"]
    image = result["artifacts"][0]["data"]["image/png"]
    assert set(image) == {"path", "url"}
    with Client(str(client.base_url), key="") as stranger:
        got = stranger.get(image["url"])
    assert got.headers["content-type"] == "image/png"
    assert got.content.startswith(b"\x89PNG")


def test_sessions_are_listed_searched_renamed_exported_and_deleted(client: Client) -> None:
    session = client.new()
    client.run(session, "run: print('needle in haystack')")
    found = client.get("/api/v1/sessions", params={"search": "needle"}).json()
    assert [row["id"] for row in found] == [session]
    assert client.patch(f"/api/v1/sessions/{session}", json={"title": "Renamed"}).json()["title"] == "Renamed"
    exports = {
        form: client.get(f"/api/v1/sessions/{session}/export", params={"to": form})
        for form in ("ipynb", "md", "py", "jsonl")
    }
    assert all(session in answer.headers["content-disposition"] for answer in exports.values())
    assert json.loads(exports["ipynb"].text)["nbformat"] == 4
    assert "print('needle in haystack')" in exports["py"].text
    assert json.loads(exports["jsonl"].text)["messages"]
    assert client.delete(f"/api/v1/sessions/{session}").status_code == 204
    assert client.get(f"/api/v1/sessions/{session}").status_code == 404
    assert client.get("/api/v1/sessions", params={"search": "needle"}).json() == []


def test_of_a_deleted_session_nothing_that_was_said_stays(server, client: Client) -> None:
    said = "say: a-secret-that-goes " + "word " * 100

    def found() -> list[str]:
        files = [path for path in server.folder.rglob("*") if path.is_file()]
        return [path.name for path in files if b"a-secret-that-goes" in path.read_bytes()]

    body = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": said}]}
    with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        session, sent = answer.headers["x-session-id"], ""
        for line in answer.iter_lines():
            sent += json.loads(line[6:])["choices"][0]["delta"].get("content", "") if line else ""
            if "goes " in sent:
                break  # an answer that was cut is remembered with its text
    client.idle(session)
    row = client.post(f"/api/v1/sessions/{session}/shares", json={}).json()
    assert {"page.html", "dialogs.sqlite", "events.jsonl"} <= set(found())
    assert client.delete(f"/api/v1/sessions/{session}").status_code == 204
    assert [name for name in found() if not name.startswith("index.sqlite")] == []
    assert client.get(row["url"]).status_code == 410


def test_two_listeners_of_one_session_see_the_same(client: Client) -> None:
    session = client.new()
    seen: list[list[dict]] = [[], []]
    ready = threading.Barrier(3)

    def listen(number: int) -> None:
        with Client(str(client.base_url)) as mine:
            for row in mine.follow(session):
                if row["type"] == "state" and row["state"] == "parked":
                    ready.wait(20)
                seen[number].append(row)
                if row["type"] == "answer":
                    return

    threads = [threading.Thread(target=listen, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    ready.wait(20)
    client.run(session, "run: print('both')")
    for thread in threads:
        thread.join(20)
    numbered = [[row for row in each if "seq" in row] for each in seen]
    assert numbered[0] == numbered[1]
    assert numbered[0][-1]["type"] == "answer"


def test_the_server_says_what_it_is(client: Client) -> None:
    about = client.get("/api/v1/info").json()
    assert [row["name"] for row in about["models"]] == ["scripted", "slow", "dying"]
    assert about["limits"]["wall_seconds"] == 20
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_question_of_the_models_is_answered_by_the_next_message(client: Client) -> None:
    session = client.new()
    client.run(session, "run: amounts = {'net': 3, 'gross': 4}")
    asked = client.run(session, "say: Which of the two do you mean?")
    assert (asked[-1]["text"], asked[-1]["outcome"]) == ("Which of the two do you mean?", "answered")
    assert stdout(client.run(session, "run: print(amounts['gross'])")) == "4\n"


def test_who_has_read_the_answer_may_send_the_next_message_at_once(client: Client) -> None:
    session = client.new()
    after = 0
    for number in range(25):
        started = client.do(session, "messages", text=f"say: {number}")
        assert started.status_code == 202, started.text
        after = client.until(session, "answer", after=after)[-1]["seq"]
