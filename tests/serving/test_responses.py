"""The Responses-style route, asked by OpenAI's own client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from serving_client import TOKEN, Client

PLOT = (
    "run: import matplotlib.pyplot as plt\nprint('rows: 3')\nplt.plot([1, 2])\nplt.show()\n"
    "open('made.csv', 'w').write('a,b')"
)


@pytest.fixture
def sdk(client: Client) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{client.base_url}/v1", api_key=TOKEN, max_retries=0) as sdk:
        yield sdk


def test_a_turn_is_messages_and_code_interpreter_calls(sdk: openai.OpenAI) -> None:
    answer = sdk.responses.create(model="scripted", input=PLOT)
    assert answer.status == "completed"
    said, call, last = answer.output
    assert said.content[0].text.strip() == "Running it."
    assert call.type == "code_interpreter_call"
    assert call.code.startswith("import matplotlib")
    logs, image, *rest = call.outputs
    assert logs.logs.startswith("rows: 3\n")
    assert image.type == "image"
    with Client("", key="") as stranger:
        assert stranger.get(image.url).content.startswith(b"\x89PNG")
    text = last.content[0]
    assert text.text.startswith("Done.\n\nFiles: [made.csv](http://")
    (cited,) = text.annotations
    assert text.text[cited.start_index : cited.end_index].startswith("[made.csv](")
    content = sdk.containers.files.content.retrieve(cited.file_id, container_id=cited.container_id)
    assert content.read() == b"a,b"
    assert [each.path for each in sdk.containers.files.list(cited.container_id)] == ["made.csv"]
    assert answer.usage.total_tokens > 0
    assert answer.output_text.startswith("Running it.")
    assert rest == []


def test_a_stream_gives_the_same_items(sdk: openai.OpenAI) -> None:
    events = list(sdk.responses.create(model="scripted", input="run: print('x' * 3)", stream=True))
    kinds = [event.type for event in events]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert kinds[:3] == ["response.created", "response.in_progress", "response.output_item.added"]
    assert kinds[-1] == "response.completed"
    code = next(event for event in events if event.type == "response.code_interpreter_call_code.done")
    assert code.code.strip() == "print('x' * 3)"
    final = events[-1].response
    for number, item in enumerate(final.output):
        done = [event for event in events if event.type == "response.output_item.done" and event.output_index == number]
        assert [event.item for event in done] == [item]
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text.replace("\n", "") == "Running it.Done."
    assert final.output[1].outputs[0].logs == "xxx\n"


def test_a_response_goes_on_from_an_earlier_one(sdk: openai.OpenAI) -> None:
    first = sdk.responses.create(model="scripted", input="run: kept = 6")
    second = sdk.responses.create(
        model="scripted", input="run: print(kept * 7)", previous_response_id=first.id, instructions="Be short."
    )
    assert second.output[1].outputs[0].logs == "42\n"
    assert second.output[1].container_id == first.output[1].container_id
    tool = {"type": "code_interpreter", "container": first.output[1].container_id}
    third = sdk.responses.create(model="scripted", input="run: print(kept)", tools=[tool])
    assert third.output[1].outputs[0].logs == "6\n"
    with pytest.raises(openai.NotFoundError):
        sdk.responses.create(model="scripted", input="say: x", previous_response_id="resp_none")


def test_instructions_are_followed_from_where_they_are_given_and_told_once(sdk: openai.OpenAI, client: Client) -> None:
    last, session = None, ""
    for instructions in (None, "Be short.", "Be short.", "Be long.", None):
        more = {"instructions": instructions, **({"previous_response_id": last} if last else {})}
        answer = sdk.responses.with_raw_response.create(model="scripted", input="say: x", **more)
        last, session = answer.parse().id, answer.headers["x-session-id"]
    told = [row["message"] for row in client.log(session) if row["type"] == "turn_started"]
    assert told == [
        "say: x",
        "(From here on: Be short.)\n\nsay: x",
        "say: x",
        "(From here on: Be long.)\n\nsay: x",
        "say: x",
    ]


def tasks(client: Client, session: str) -> list[str]:
    """Return what was said in a session, as its Code-Feedback line has it."""
    line = client.get(f"/api/v1/sessions/{session}/export", params={"to": "jsonl"}).text
    said = [row["content"] for row in json.loads(line)["messages"] if row["role"] == "user"]
    return [text.rpartition("\n\n")[2] for text in said]  # without what the model is told of a new kernel


def go_on(sdk: openai.OpenAI, text: str, after: str | None = None) -> tuple[str, str]:
    """Ask for a response after another one; return its id and its session."""
    given = {"previous_response_id": after} if after is not None else {}
    answer = sdk.responses.with_raw_response.create(model="scripted", input=text, **given)
    return answer.parse().id, answer.headers["x-session-id"]


def test_responses_that_go_on_from_the_same_one_are_branches_with_a_history_each(
    sdk: openai.OpenAI, client: Client
) -> None:
    a, trunk = go_on(sdk, "say: one")
    b, same = go_on(sdk, "say: two", a)
    c, other = go_on(sdk, "say: other-branch", a)
    assert same == trunk
    assert other != trunk
    d, same = go_on(sdk, "say: tail", b)
    assert same == trunk
    _, still = go_on(sdk, "say: other tail", c)
    assert still == other
    assert tasks(client, trunk) == ["say: one", "say: two", "say: tail"]
    assert tasks(client, other) == ["say: one", "say: other-branch", "say: other tail"]
    _, third = go_on(sdk, "say: from the first branch", b)
    assert tasks(client, third) == ["say: one", "say: two", "say: from the first branch"]
    assert go_on(sdk, "say: end", d)[1] == trunk


def test_a_branch_has_the_files_and_variables_of_what_came_before_it(sdk: openai.OpenAI) -> None:
    first = sdk.responses.create(model="scripted", input="run: kept = 6\nopen('f', 'w').write('in it')")
    go_on(sdk, "run: kept = 7", first.id)
    branch = sdk.responses.create(
        model="scripted", input="run: print(kept, open('f').read())", previous_response_id=first.id
    )
    assert branch.output[1].outputs[0].logs == "6 in it\n"
    assert branch.output[1].container_id != first.output[1].container_id


def test_a_turn_without_a_response_is_taken_back_and_makes_no_branch(sdk: openai.OpenAI, client: Client) -> None:
    a, session = go_on(sdk, "say: one")
    with pytest.raises(openai.InternalServerError):
        sdk.responses.create(model="dying", input="say: two", previous_response_id=a)
    assert go_on(sdk, "say: two", a)[1] == session
    assert tasks(client, session) == ["say: one", "say: two"]


def test_a_response_whose_turn_was_taken_back_is_not_gone_on_with(sdk: openai.OpenAI, client: Client) -> None:
    a, session = go_on(sdk, "say: one")
    b, _ = go_on(sdk, "say: two", a)
    client.do(session, "edit", turn=1, text="say: another two")
    client.idle(session, client.state(session)["seq"])
    with pytest.raises(openai.NotFoundError, match="taken back"):
        go_on(sdk, "say: three", b)
    _, branch = go_on(sdk, "say: three", a)
    assert (tasks(client, session), tasks(client, branch)) == (
        ["say: one", "say: another two"],
        ["say: one", "say: three"],
    )


def test_a_second_branch_while_the_first_one_comes_is_told_to_come_again(sdk: openai.OpenAI) -> None:
    a, _ = go_on(sdk, "say: one")
    stream = sdk.responses.create(model="slow", input="say: " + "word " * 100, previous_response_id=a, stream=True)
    next(iter(stream))
    with pytest.raises(openai.ConflictError):
        go_on(sdk, "say: two", a)
    stream.close()


def sent_back(answer: Any, form: str) -> list[dict[str, Any]]:
    """Return an answer as one more part of a list of input, as clients keep it."""
    if form == "text":
        return [{"role": "assistant", "content": answer.output_text}]
    kept = [item for item in answer.output if form == "items" or item.type == "message"]
    return [item.model_dump(exclude_none=True) for item in kept]


def asked(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "input_text", "text": text}]}


@pytest.mark.parametrize("form", ["items", "messages", "text"])
def test_a_client_that_sends_the_whole_list_back_goes_on_in_its_session(sdk: openai.OpenAI, form: str) -> None:
    dialog = [asked("run: kept = 6")]
    first = sdk.responses.create(model="scripted", input=dialog)
    dialog += [*sent_back(first, form), asked("run: kept += 1; print(kept)")]
    second = sdk.responses.create(model="scripted", input=dialog)
    assert second.output[1].outputs[0].logs == "7\n"
    assert second.output[1].container_id == first.output[1].container_id
    dialog += [*sent_back(second, form), asked("run: print(kept + 1)")]
    third = sdk.responses.create(model="scripted", input=dialog)
    assert (third.output[1].outputs[0].logs, third.output[1].container_id) == ("8\n", first.output[1].container_id)
    ids = [item.id for answer in (first, second, third) for item in answer.output]
    assert len(set(ids)) == len(ids)


def test_an_edited_list_makes_a_new_session_in_which_the_code_runs_again(sdk: openai.OpenAI) -> None:
    code = 'kept = 6\ntext = """\n```\nin it\n```\n"""\nprint(len(text))'
    first = sdk.responses.create(model="scripted", input=f"run: {code}")
    items = sent_back(first, "items")
    items[0]["content"][0]["text"] = "Something else."
    again = sdk.responses.create(
        model="scripted", input=[asked(f"run: {code}"), *items, asked("run: print(kept + 1, len(text))")]
    )
    assert again.output[1].outputs[0].logs == "7 15\n"
    assert again.output[1].container_id != first.output[1].container_id


def test_failures_are_told(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="does not answer"):
        sdk.responses.create(model="dying", input="x")
    events = list(sdk.responses.create(model="dying", input="x", stream=True))
    assert events[-1].type == "response.failed"
    assert "does not answer" in events[-1].response.error.message
    with pytest.raises(openai.BadRequestError):
        sdk.responses.create(model="scripted", input=[{"type": "computer_call"}])
    with pytest.raises(openai.BadRequestError, match="user, assistant, system or developer"):
        sdk.responses.create(model="scripted", input=[{"role": "x" * 50, "content": "y"}])


def test_what_a_request_brings_along_comes_back(sdk: openai.OpenAI) -> None:
    tools = [{"type": "code_interpreter", "container": {"type": "auto"}}]
    answer = sdk.responses.create(model="scripted", input="say: a", metadata={"order": "7"}, tools=tools)
    assert (answer.metadata, answer.tools[0].type) == ({"order": "7"}, "code_interpreter")
    assert sdk.responses.create(model="scripted", input="say: a", extra_body={"tools": None}).status == "completed"


def test_a_turn_that_spent_its_rounds_is_incomplete(start_server: Callable[..., Any]) -> None:
    running = start_server(max_rounds=1)
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key=TOKEN, max_retries=0) as sdk:
        answer = sdk.responses.create(model="scripted", input="run: print(1)")
        assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")
        *_, last = sdk.responses.create(model="scripted", input="run: print(1)", stream=True)
    assert (last.type, last.response.status) == ("response.incomplete", "incomplete")


def test_a_request_that_is_refused_leaves_no_session(start_server: Callable[..., Any]) -> None:
    running = start_server(max_waiting=0)
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key=TOKEN, max_retries=0) as sdk:
        for _ in range(2):
            with pytest.raises(openai.RateLimitError):
                sdk.responses.create(model="scripted", input="say: a")
            with pytest.raises(openai.RateLimitError):
                sdk.chat.completions.create(model="scripted", messages=[{"role": "user", "content": "say: a"}])
    with running.client() as client:
        assert client.get("/api/v1/sessions").json() == []
