"""The OpenAI-compatible routes, asked by OpenAI's own client."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator

import openai
import pytest
from serving_client import TOKEN, Client, message_of


@pytest.fixture
def sdk(client: Client) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{client.base_url}/v1", api_key=TOKEN, max_retries=0) as sdk:
        yield sdk


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def test_models_are_listed(sdk: openai.OpenAI) -> None:
    assert [model.id for model in sdk.models.list()] == ["scripted", "slow", "dying"]


def test_an_answer_shows_code_output_figures_and_links(sdk: openai.OpenAI, client: Client) -> None:
    code = (
        "run: import matplotlib.pyplot as plt\nprint('rows: 3')\nplt.plot([1, 2])\nplt.show()\n"
        "open('made.csv', 'w').write('a')\n6 * 7"
    )
    answer = sdk.chat.completions.create(model="scripted", messages=[user(code)])
    text = answer.choices[0].message.content
    assert text.startswith("Running it.\n```python\nimport matplotlib")
    assert "\n\n````text\nrows: 3\n````\n\n![figure](http://127.0.0.1:" in text
    assert "````text\n42\n````" in text
    assert "\n\nFiles: [made.csv](http://127.0.0.1:" in text
    assert text.endswith("\n\nDone.")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens > 0
    link = text.split("[made.csv](")[1].split(")")[0]
    with Client("", key="") as stranger:
        assert stranger.get(link).text == "a"


def test_a_stream_gives_the_same_text_in_pieces(sdk: openai.OpenAI) -> None:
    chunks = list(
        sdk.chat.completions.create(
            model="scripted",
            messages=[user("run: print('x' * 3)")],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Running it.\n```python\nprint('x' * 3)\n```\n\n````text\nxxx\n````\n\nDone."
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.total_tokens > 0


def test_a_dialog_goes_on_in_its_session(sdk: openai.OpenAI) -> None:
    messages = [{"role": "system", "content": "Be kind."}, user("run: kept = 41")]
    first = sdk.chat.completions.with_raw_response.create(model="scripted", messages=messages)
    text = first.parse().choices[0].message.content
    messages += [{"role": "assistant", "content": text}, user("run: print(kept + 1)")]
    second = sdk.chat.completions.with_raw_response.create(model="scripted", messages=messages)
    assert second.headers["x-session-id"] == first.headers["x-session-id"]
    assert "````text\n42\n````" in second.parse().choices[0].message.content
    # The same question once more, as "regenerate" does: the session is taken back, and is the same still.
    third = sdk.chat.completions.with_raw_response.create(model="scripted", messages=messages)
    assert third.headers["x-session-id"] == first.headers["x-session-id"]


def test_a_dialog_that_is_not_known_gets_a_new_session_in_which_its_code_runs_again(
    sdk: openai.OpenAI, client: Client
) -> None:
    messages = [
        user("Set it"),
        {"role": "assistant", "content": "Sure.\n```python\nold = 20\n```\n\n````text\nnothing\n````\n\nIt is set."},
        user("run: print(old * 2)"),
    ]
    answer = sdk.chat.completions.with_raw_response.create(model="scripted", messages=messages)
    text = answer.parse().choices[0].message.content
    assert text.startswith("Running it.")
    assert "````text\n40\n````" in text
    log = client.log(answer.headers["x-session-id"])
    assert [row["text"] for row in log if row["type"] == "answer"] == ["It is set.", "Done."]


def test_what_every_model_is_told_is_told_in_a_dialog_that_is_not_known_too(sdk: openai.OpenAI, client: Client) -> None:
    messages = [
        {"role": "system", "content": "Answer in Danish."},
        user("Hello"),
        {"role": "assistant", "content": "Hej."},
        user("say: more"),
    ]
    answer = sdk.chat.completions.with_raw_response.create(model="scripted", messages=messages)
    session = answer.headers["x-session-id"]
    told = [row["message"] for row in client.log(session) if row["type"] == "turn_started"]
    assert told == ["Hello", "(For this whole conversation: Answer in Danish.)\n\nsay: more"]
    messages += [{"role": "assistant", "content": answer.parse().choices[0].message.content}, user("say: again")]
    again = sdk.chat.completions.with_raw_response.create(model="scripted", messages=messages)
    assert again.headers["x-session-id"] == session
    assert message_of(client.log(session)[::-1]) == "say: again"  # told once


def test_the_header_and_the_user_field_name_a_session(sdk: openai.OpenAI, client: Client) -> None:
    session = client.new()
    client.run(session, "run: here = 'here'")
    answer = sdk.chat.completions.create(
        model="scripted", messages=[user("run: print(here)")], extra_headers={"X-Session-ID": session}
    )
    assert "````text\nhere\n````" in answer.choices[0].message.content
    answer = sdk.chat.completions.create(
        model="scripted", messages=[user("run: print(here, 2)")], user=f"session:{session}"
    )
    assert "````text\nhere 2\n````" in answer.choices[0].message.content
    with pytest.raises(openai.NotFoundError):
        sdk.chat.completions.create(
            model="scripted", messages=[user("say: x")], extra_headers={"X-Session-ID": "20200101-000000-aaaa"}
        )


def test_two_users_never_meet_in_one_session(sdk: openai.OpenAI) -> None:
    sessions = set()
    for name in ("ann", "bob"):
        messages = [user("say: same")]
        first = sdk.chat.completions.with_raw_response.create(model="scripted", messages=messages, user=name)
        messages += [{"role": "assistant", "content": "same"}, user("say: again")]
        second = sdk.chat.completions.with_raw_response.create(model="scripted", messages=messages, user=name)
        assert second.headers["x-session-id"] == first.headers["x-session-id"]
        sessions.add(first.headers["x-session-id"])
    assert len(sessions) == 2


def test_files_come_inside_a_message(sdk: openai.OpenAI, client: Client) -> None:
    data = "data:text/csv;base64," + base64.b64encode(b"a,b\n1,2\n").decode()
    content = [
        {"type": "text", "text": "run: print(open('t.csv').read())"},
        {"type": "file", "file": {"filename": "../../t.csv", "file_data": data}},
    ]
    messages = [{"role": "user", "content": content}]
    answer = sdk.chat.completions.with_raw_response.create(model="scripted", messages=messages)
    assert "a,b\n1,2" in answer.parse().choices[0].message.content
    assert "t.csv (8 bytes" in message_of(client.log(answer.headers["x-session-id"]))


def test_what_cannot_be_done_is_refused_in_the_clients_own_errors(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="There is no model"):
        sdk.chat.completions.create(model="gpt-5", messages=[user("x")])
    with pytest.raises(openai.BadRequestError, match="must be the user's"):
        sdk.chat.completions.create(model="scripted", messages=[{"role": "assistant", "content": "x"}])
    with pytest.raises(openai.InternalServerError, match="does not answer"):
        sdk.chat.completions.create(model="dying", messages=[user("x")])
    with pytest.raises(openai.APIError, match="does not answer"):
        list(sdk.chat.completions.create(model="dying", messages=[user("x")], stream=True))
    with pytest.raises(openai.AuthenticationError):
        sdk.with_options(api_key="wrong").models.list()


def test_a_client_that_leaves_ends_its_run(sdk: openai.OpenAI, client: Client) -> None:
    stream = sdk.chat.completions.create(
        model="scripted", messages=[user("run: import time\nprint('in', flush=True)\ntime.sleep(30)")], stream=True
    )
    session = stream.response.headers["x-session-id"]
    text = ""
    for chunk in stream:
        text += chunk.choices[0].delta.content or ""
        if text.endswith(("````text\nin", "````text\nin\n")):  # the code has begun
            break
    stream.close()
    started = time.monotonic()
    client.idle(session)
    assert time.monotonic() - started < 10
    assert [row["outcome"] for row in client.log(session) if row["type"] == "answer"] == ["stopped"]
