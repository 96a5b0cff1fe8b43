"""What a server owes to a run when something ends: itself, its model, its disk, the client."""

from __future__ import annotations

import re
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

from serving_client import ENDS, Client, stdout

ENDPOINT = Path(__file__).with_name("model_endpoint.py")


def test_sigterm_in_the_middle_of_a_run_is_told_to_its_client_and_kept_in_its_log(start_server) -> None:
    server = start_server(drain=0.2)
    seen: list[dict] = []
    with server.client() as client:
        session = client.new()
        client.run(session, "run: kept = 7")
        client.do(session, "messages", text="run: import time\nprint('in', flush=True)\ntime.sleep(60)")
        client.until(session, "output_delta")

        def listen() -> None:
            with server.client() as mine:
                seen.extend(mine.follow(session))

        listener = threading.Thread(target=listen)
        listener.start()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        listener.join(20)
    assert server.process.stdout.read() == "ended\n"
    kinds = [row["type"] for row in seen]
    assert kinds.index("interrupted") < len(kinds) - 1 - kinds[::-1].index("answer")
    assert [row["outcome"] for row in seen if row["type"] == "answer"] == ["answered", "stopped"]
    assert seen[-1]["type"] == "state"
    assert seen[-1]["closing"]

    again = start_server(server.folder)
    with again.client() as client:
        assert client.state(session)["state_lost"]
        events = client.run(session, "run: print('kept is', kept)")
        assert stdout(events).endswith("kept is 7\n")
        kinds = [row["type"] for row in events]
        assert kinds.index("replay_started") < kinds.index("replay_finished") < kinds.index("turn_started")


def test_a_short_run_may_end_while_the_server_waits_and_no_new_one_begins(start_server) -> None:
    server = start_server(drain=20)
    with server.client() as client:
        session = client.new()
        client.do(session, "messages", text="run: import time\nprint('in', flush=True)\ntime.sleep(1.5)\nprint('out')")
        client.until(session, "output_delta")
        server.process.send_signal(signal.SIGTERM)
        for row in client.follow(session):
            if row["type"] == "state" and row["closing"]:
                break
        refused = client.do(client.get("/api/v1/sessions").json()[0]["id"], "messages", text="say: x")
        assert refused.status_code in (409, 503)
        assert client.get("/healthz").status_code == 503
        refused = client.post("/api/v1/sessions", json={})
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        assert server.process.wait(30) == 0
    log = (server.folder / session / "events.jsonl").read_text()
    assert "in\\nout\\n" in log
    assert '"interrupted"' not in log


def test_a_server_that_was_killed_says_so_when_it_comes_back(start_server) -> None:
    server = start_server()
    with server.client() as client:
        session = client.new()
        client.do(session, "messages", text="run: import time\nprint('in', flush=True)\ntime.sleep(60)")
        client.until(session, "output_delta")
    server.process.kill()
    server.process.wait()
    again = start_server(server.folder)
    with again.client() as client:
        events = client.run(session, "say: here again")
        told = [row["text"] for row in events if row["type"] == "interrupted"]
        assert told == ["The server ended while this ran; send the message again to go on."]


def test_a_model_that_dies_ends_its_turn_alone(client: Client) -> None:
    dying, other = client.new(model="dying"), client.new()
    events = client.run(dying, "say: x")
    assert (events[-1]["type"], events[-1]["kind"]) == ("failure", "model")
    assert "does not answer" in events[-1]["message"]
    assert client.run(other, "say: fine")[-1]["text"] == "fine"
    client.patch(f"/api/v1/sessions/{dying}", json={"model": "scripted"})
    assert client.run(dying, "say: better")[-1]["text"] == "better"


def test_an_endpoint_that_is_killed_in_the_middle_of_a_reply_ends_its_turn_alone(start_server) -> None:
    endpoint = subprocess.Popen([sys.executable, str(ENDPOINT)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        server = start_server(endpoint=endpoint.stdout.readline().decode().strip())
        with server.client() as client:
            dying, other = client.new(model="remote"), client.new(model="slow")
            client.do(dying, "messages", text="Say two lines.")
            said = "".join(row["text"] for row in client.until(dying, "text_delta") if row["type"] == "text_delta")
            assert said.startswith("One line.\n")
            client.do(other, "messages", text="say: " + "fine " * 10)
            endpoint.kill()
            endpoint.wait()
            last = client.until(dying, *ENDS)[-1]
            assert (last["type"], last["kind"]) == ("failure", "model")
            assert re.fullmatch(r"[^.\n]*127\.0\.0\.1:\d+[^.\n]*", last["message"]), last["message"]
            assert client.until(other, *ENDS)[-1]["text"] == ("fine " * 10).strip()
            assert client.run(other, "say: still")[-1]["text"] == "still"
            client.idle(dying, last["seq"])
            body = {"model": "remote", "messages": [{"role": "user", "content": "x"}]}
            assert client.post("/v1/chat/completions", json=body).status_code == 502
            client.patch(f"/api/v1/sessions/{dying}", json={"model": "scripted"})
            assert client.run(dying, "say: better")[-1]["text"] == "better"
    finally:
        endpoint.kill()
        endpoint.wait()
        endpoint.stdout.close()


def test_a_full_workspace_ends_the_code_that_fills_it_alone(start_server) -> None:
    server = start_server(limits={"workspace_mb": 4})
    with server.client() as client:
        full, other = client.new(), client.new()
        events = client.run(full, "run: open('big', 'wb').write(bytes(64 << 20))\nimport time; time.sleep(10)")
        result = next(row["result"] for row in events if row["type"] == "execution_finished")
        assert result["reason"] == "disk"
        assert result["status"] in {"error", "killed"}  # the write is refused, or the watcher comes first
        upload = client.post(f"/api/v1/sessions/{full}/files", files={"file": ("a", b"x" * (1 << 20))})
        assert upload.status_code == 400
        assert "does not fit" in upload.json()["error"]["message"]
        assert stdout(client.run(other, "run: print('fine')")) == "fine\n"


def test_a_disk_that_takes_no_more_is_told_and_other_sessions_go_on(start_server) -> None:
    server = start_server(file_bytes=60_000)
    with server.client() as client:
        full, other = client.new(), client.new()
        client.do(full, "messages", text="run: for _ in range(40): print('x' * 5000)")
        for row in client.follow(full):
            if row["type"] == "state" and row["fault"]:
                break
        assert "could not be saved" in client.state(full)["fault"]
        assert client.run(other, "say: fine")[-1]["text"] == "fine"


def test_on_a_full_disk_sessions_are_parked_and_go_on_when_there_is_space_again(start_server) -> None:
    server = start_server(file_bytes=60_000, park_seconds=0.5, sweep_seconds=0.1)
    with server.client() as client:
        full, other = client.new(), client.new()
        client.do(full, "messages", text="run: for _ in range(40): print('x' * 5000)")
        for row in client.follow(full):
            if row["type"] == "state" and row["fault"]:
                break
        client.run(other, "say: fine")
        for session in (full, other):
            for row in client.follow(session, client.state(session)["seq"]):
                if row["type"] == "state" and row["state"] == "parked":
                    break
        most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, most))
        assert client.run(full, "say: again")[-1]["text"] == "again"
        assert client.state(full)["fault"] is None


def test_a_client_that_leaves_does_not_end_a_run_of_the_plain_api(client: Client) -> None:
    session = client.new()
    client.do(session, "messages", text="run: import time\nprint('in', flush=True)\ntime.sleep(1)\nprint('out')")
    for row in client.follow(session):
        if row["type"] == "output_delta":
            break
    assert stdout(client.until(session, "answer")) == "in\nout\n"
