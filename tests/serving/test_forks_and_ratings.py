"""Sessions forked and answers rated, over a real server process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_server import make_hub
from serving_client import Client, stdout

from opencodeinterpreter import Limits
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.serving.hub import Hub


def fork(client: Client, session: str, **body: object) -> dict[str, object]:
    answer = client.do(session, "fork", **body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def export(client: Client, session: str) -> dict[str, object]:
    return json.loads(client.get(f"/api/v1/sessions/{session}/export", params={"to": "jsonl"}).text)


def test_a_session_is_forked_and_both_go_on(client: Client) -> None:
    session = client.new(title="Counting", approve=False)
    client.run(session, "run: x = 20\nopen('kept.txt', 'w').write('kept')")
    client.run(session, "run: x = 30\nprint(x)")
    before = client.log(session)
    made = fork(client, session, turn=0, title="Another way")
    assert made["fork"] == {"session": session, "turn": 0}
    assert (made["title"], made["turns"], made["state_lost"]) == ("Another way", 1, True)
    assert made["id"] != session
    events = client.run(made["id"], "run: print(x + 1, open('kept.txt').read())")
    assert "replay_started" in [row["type"] for row in events]
    assert stdout(events).endswith("21 kept\n")
    assert client.log(session) == before
    assert stdout(client.run(session, "run: print(x + 1)")) == "31\n"
    rows = {row["id"]: row["fork"] for row in client.get("/api/v1/sessions").json()}
    assert (rows[session], rows[made["id"]]) == (None, {"session": session, "turn": 0})
    assert export(client, made["id"])["meta"] == {"forked": {"session": session, "turn": 0}}
    assert "meta" not in export(client, session)
    whole = fork(client, session)
    assert (whole["title"], whole["turns"], whole["fork"]) == ("Counting", 3, {"session": session, "turn": 2})
    client.patch(f"/api/v1/sessions/{whole['id']}", json={"title": "Mine"})
    assert client.state(session)["title"] == "Counting"
    assert client.delete(f"/api/v1/sessions/{session}").status_code == 204
    assert client.state(whole["id"])["title"] == "Mine"
    assert stdout(client.run(whole["id"], "run: print(x, open('kept.txt').read())")).endswith("30 kept\n")


def test_links_and_figures_of_a_fork_are_its_own(client: Client) -> None:
    session = client.new()
    client.run(session, "run: import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.savefig('f.png'); plt.show()")
    made = fork(client, session)["id"]
    client.delete(f"/api/v1/sessions/{session}")
    (figure,) = [row["output"]["display"] for row in client.log(made) if row["type"] == "output_delta"]
    assert made in figure["data"]["image/png"]["url"]
    assert client.get(figure["data"]["image/png"]["url"]).content.startswith(b"\x89PNG")
    assert [row["path"] for row in client.get(f"/api/v1/sessions/{made}/files").json()] == ["f.png"]


def test_what_cannot_be_forked_is_refused_with_a_sentence(client: Client) -> None:
    session = client.new()
    empty = client.do(session, "fork")
    assert (empty.status_code, empty.json()["error"]["message"]) == (400, "There is nothing to fork yet.")
    client.do(session, "messages", text="run: import time\nprint('in', flush=True)\ntime.sleep(15)")
    client.until(session, "output_delta")
    busy = client.do(session, "fork")
    assert (busy.status_code, busy.json()["error"]["type"]) == (409, "busy")
    client.do(session, "stop")
    client.idle(session)
    refused = client.do(session, "fork", turn=5)
    assert refused.status_code == 400
    assert "no such turn to fork from; the session has 1" in refused.json()["error"]["message"]
    assert client.do(session, "fork", number=0).status_code == 422
    assert client.do("20200101-000000-0000", "fork").status_code == 404
    forks = [row["fork"]["session"] for row in client.get("/api/v1/sessions").json() if row["fork"]]
    assert session not in forks


def test_a_fork_counts_as_a_session_of_its_key(start_server) -> None:
    server = start_server(
        keys={"ann": {"key": "the-key-of-ann-ann", "sessions": 2}, "bob": {"key": "the-key-of-bob-bob"}}
    )
    with server.client("the-key-of-ann-ann") as ann, server.client("the-key-of-bob-bob") as bob:
        session = ann.new()
        ann.run(session, "say: hello")
        assert bob.do(session, "fork").status_code == 404
        made = fork(ann, session)["id"]
        refused = ann.do(session, "fork")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert "This key may have 2 sessions" in refused.json()["error"]["message"]
        assert bob.get(f"/api/v1/sessions/{made}").status_code == 404
        assert [row["id"] for row in bob.get("/api/v1/sessions").json()] == []
        assert {row["id"] for row in ann.get("/api/v1/sessions").json()} == {session, made}


def test_answers_are_rated_exported_and_the_rating_taken_back(client: Client) -> None:
    session = client.new()
    assert client.do(session, "ratings", rating="good").json()["error"]["message"] == "There is no answer to rate."
    client.run(session, "run: print(1)")
    client.run(session, "say: second")
    assert client.do(session, "ratings", rating="bad").json() == {"turn": 1, "rating": "bad"}
    assert client.do(session, "ratings", rating="good", turn=0).json() == {"turn": 0, "rating": "good"}
    rated = [message["meta"].get("rating") for message in export(client, session)["messages"]]
    assert rated == [None, None, None, "good", None, "bad"]
    assert client.do(session, "ratings", rating=None).json() == {"turn": 1, "rating": None}
    rows = [(row["turn"], row["rating"]) for row in client.log(session) if row["type"] == "rated"]
    assert rows == [(1, "bad"), (0, "good"), (1, None)]
    assert client.do(session, "ratings", rating="great").status_code == 422
    assert client.do(session, "ratings", rating="good", turn=2).status_code == 400
    client.do(session, "messages", text="run: import time\nprint('in', flush=True)\ntime.sleep(15)")
    client.until(session, "output_delta", after=client.state(session)["seq"] - 1)
    assert client.do(session, "ratings", rating="bad", turn=0).status_code == 200
    assert client.do(session, "ratings", rating="bad", turn=2).status_code == 400
    client.do(session, "stop")
    client.idle(session)
    assert [message["meta"].get("rating") for message in export(client, session)["messages"]][3] == "bad"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with make_hub(tmp_path / "sessions", limits=Limits(workspace_mb=1), park_seconds=None) as hub:
        yield hub


def test_a_parked_session_is_forked_and_rated_without_a_kernel(hub: Hub) -> None:
    room = hub.create()
    room.message("say: hello")
    assert room.wait(30)
    room.park()
    assert room.rate("good") == 0
    other = hub.fork(room)
    assert (room.state, other.state, other.turns()[0].rating) == ("parked", "parked", "good")
    (room.workspace / "large").write_bytes(bytes(2 << 20))
    with pytest.raises(InputError, match="too large to be copied: 1 MB in all"):
        hub.fork(room)
    assert {info.id for info in hub.infos()} == {room.id, other.id}
