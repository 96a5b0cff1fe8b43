"""The Responses-style route, asked by OpenAI's own client."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving_client import TOKEN, Client

from opencodeinterpreter.serving.responses_items import Prose

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


def test_items_of_an_earlier_response_can_be_sent_back(sdk: openai.OpenAI) -> None:
    first = sdk.responses.create(model="scripted", input="run: kept = 6")
    items = [
        {"role": "user", "content": "run: kept = 6"},
        *(item.model_dump(exclude_none=True) for item in first.output),
        {"role": "user", "content": [{"type": "input_text", "text": "run: print(kept + 1)"}]},
    ]
    second = sdk.responses.create(model="scripted", input=items)
    assert second.output[1].outputs[0].logs == "7\n"
    assert second.output[1].container_id != first.output[1].container_id  # a new one, in which the code ran again


def test_failures_are_told(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="does not answer"):
        sdk.responses.create(model="dying", input="x")
    events = list(sdk.responses.create(model="dying", input="x", stream=True))
    assert events[-1].type == "response.failed"
    assert "does not answer" in events[-1].response.error.message
    with pytest.raises(openai.BadRequestError):
        sdk.responses.create(model="scripted", input=[{"type": "computer_call"}])


@given(st.lists(st.text(alphabet="a`~ \n", min_size=1, max_size=4), max_size=12))
def test_prose_loses_nothing_and_shows_no_fence(deltas: list[str]) -> None:
    prose = Prose()
    shown = "".join(prose.feed(delta) for delta in deltas)
    assert sorted(shown + prose.held) == sorted("".join(deltas))
    assert not any(line.startswith("```") for line in shown.splitlines())
