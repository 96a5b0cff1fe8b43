"""Models in their parts: identified, opened once, cut at their code, asked again, and nothing asked twice."""

import pickle
import threading

import pytest

from opencodeinterpreter.codefeedback.asking.cutting import CutModel
from opencodeinterpreter.codefeedback.asking.model_stage import Means
from opencodeinterpreter.codefeedback.asking.parts import Cast, Player, Unusable, player, row_seed
from opencodeinterpreter.codefeedback.asking.replies import (
    first_sentences,
    plain_words,
    read_program,
    read_step,
    sentences,
    with_code,
)
from opencodeinterpreter.codefeedback.methods.simulation import Simulation
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings
from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models import Endpoint, Generation, ModelSettings, ScriptedModel
from opencodeinterpreter.models.asking import Stopped
from opencodeinterpreter.models.response_cache import Reply

ASKED = (Message("user", "Write code."),)
REPLY = "So:\n```python\nprint(1)\n```\nThe output is 17.\n```\n17\n```"


def cast(*replies, responses=None, **more):
    model = ScriptedModel(replies, **more)
    return Cast({"a": Player("m", "m", lambda: model)}, responses, Generation()), model


def text_of(reply):
    return reply.text


def test_a_reply_ends_where_its_code_closes():
    with CutModel(ScriptedModel([REPLY])).stream(ASKED) as stream:
        assert "".join(stream) == "So:\n```python\nprint(1)\n```"
        assert stream.finish_reason == "stop"
    assert stream.usage.completion_tokens < len(REPLY) // 4, "what comes after is not generated"


def test_a_reply_without_code_is_whole():
    model = CutModel(ScriptedModel(["```text\nnothing\n```\nDone."], name="m"))
    assert (model.name, model.context_tokens) == ("m", 8192)
    assert model.count_tokens(ASKED) > 0
    with model.stream(ASKED) as stream:
        assert "".join(stream) == "```text\nnothing\n```\nDone."
    model.close()


def test_cut_and_whole_replies_have_keys_of_their_own(tmp_path):
    path = tmp_path / "replies.sqlite"
    with cast(REPLY, REPLY, responses=path)[0] as parts:
        assert parts["a"].say(ASKED, text_of, 1, code=True).endswith("print(1)\n```")
        assert parts["a"].say(ASKED, text_of, 1) == REPLY
    again, model = cast(responses=path)
    with again as parts:
        assert parts["a"].say(ASKED, text_of, 1) == REPLY
        assert parts["a"].say(ASKED, text_of, 1, code=True).endswith("print(1)\n```")
    assert model.requests == []


def test_one_model_in_two_parts_is_opened_once_and_closed():
    opened = []

    def load():
        opened.append(ScriptedModel(["one", "two"]))
        return opened[-1]

    with Cast({"weak": Player("m", "m", load), "strong": Player("m", "m", load)}, None, Generation()) as parts:
        assert parts["weak"].say(ASKED, text_of, 1, max_tokens=5) == "one"
        assert parts["strong"].say(ASKED, text_of, 1) == "two"
        assert parts.get("user") is None
    assert len(opened) == 1
    assert opened[0].closed


def test_a_dialog_that_is_too_long_is_not_asked_again():
    def too_long(reply):
        raise AssertionError

    parts, _ = cast()
    with parts as opened:
        part = opened["a"]
        part._asker.ask = lambda messages, generation: Reply("", "context")
        with pytest.raises(Unusable, match="too long"):
            part.say(ASKED, too_long, 1)


def test_a_reply_without_end_is_asked_again():
    parts, model = cast("ab " * 1000, "fine")
    with parts as opened:
        assert opened["a"].say(ASKED, text_of, 1) == "fine"
    assert len(model.requests) == 2


def test_a_stopped_part_says_nothing_more():
    parts, _ = cast("x" * 4000, delay_seconds=0.05)
    with parts as opened:
        threading.Timer(0.2, opened.stop).start()
        with pytest.raises(Stopped):
            opened["a"].say(ASKED, text_of, 1)


def test_what_tells_a_model_from_another(tmp_path):
    script = tmp_path / "script.json"
    script.write_text('["one"]')
    one = player(f"scripted:{script}", ModelSettings())
    assert one.open().name == one.name
    script.write_text('["two"]')
    assert player(f"scripted:{script}", ModelSettings()).identity != one.identity
    with pytest.raises(InputError, match="no such file"):
        player("scripted:/nowhere.json", ModelSettings())
    served = ModelSettings(endpoint=Endpoint(base_url="http://localhost:1/v1"))
    assert player("openai:m", served).identity != player("openai:m", ModelSettings()).identity
    assert player("qwen2.5-coder-0.5b", ModelSettings()).identity.startswith("llama.cpp:1d9614638d18")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    before = player(str(folder), ModelSettings()).identity
    (folder / "model.safetensors").write_bytes(b"x")
    assert player(str(folder), ModelSettings()).identity != before


def test_a_stage_can_be_sent_to_another_process(tmp_path):
    script = tmp_path / "script.json"
    script.write_text('["one"]')
    players = {part: player(f"scripted:{script}", ModelSettings()) for part in ("weak", "strong", "user")}
    stage = Simulation(Means(players, seed=4, execution=ExecutionSettings(wall_seconds=3)))
    assert pickle.loads(pickle.dumps(stage)).settings == stage.settings


def test_seeds_depend_on_the_row_alone():
    assert row_seed(1, "simulate", "a") == row_seed(1, "simulate", "a")
    assert len({row_seed(1, "a"), row_seed(2, "a"), row_seed(1, "b"), row_seed(1, "a", "")}) == 4
    assert 0 <= row_seed(0, "\ud800") < 2**31


def test_code_stands_in_one_block_however_it_was_written():
    for text in (
        "```py\nprint(1)\n```",
        "print(1)",
        '<tool_call>{"code": "print(1)"}</tool_call>',
        "~~~python\nprint(1)\n~~~",
    ):
        assert read_program(Reply(text, "stop")).text == "```python\nprint(1)\n```"
    assert read_program(Reply("<think>no</think>So.\n```python\nprint(1)\n```", "stop")).text.startswith("So.")
    assert with_code("", 'x = """\n```\n"""').startswith("````python\n")


@pytest.mark.parametrize(
    ("text", "finish", "reason"),
    [
        ("```python\nprint(1", "length", "cut off"),
        ("", "stop", "empty"),
        ("It goes on", "length", "cut off"),
        ("I cannot run code, I am an AI language model.", "stop", "a refusal"),
        ("Execution result: 17", "stop", "made up"),
        ("Here is the updated program.", "stop", "promised"),
        ("This is it:", "stop", "promised"),
        ("Run:\n```bash\nls\n```", "stop", "no Python"),
    ],
)
def test_replies_that_are_of_no_use(text, finish, reason):
    with pytest.raises(Unusable, match=reason):
        read_step(Reply(text, finish))


def test_a_text_that_goes_on_and_on_is_cut_at_a_sentence():
    assert first_sentences(Reply("One is. Two are. Three too.", "stop"), 2) == "One is. Two are."
    assert first_sentences(Reply("One is. Two are. Thr", "length"), 5) == "One is. Two are."
    assert first_sentences(Reply("One is", "stop"), 5) == "One is"
    with pytest.raises(Unusable, match="cut off"):
        first_sentences(Reply("One i", "length"), 5)
    quoted = "The line `return 'counter'` gives a text."
    assert plain_words(quoted, quotes=True) == quoted
    with pytest.raises(Unusable):
        plain_words(quoted)
    with pytest.raises(Unusable):
        plain_words("Write:\nx = f(`y`)", quotes=True)


def test_words_and_sentences():
    assert plain_words("It uses `sum()` on `values`.") == "It uses `sum()` on `values`."
    assert sentences("It costs 3.5 ms, e.g. here. Is it fast? Yes!") == 3
    assert sentences("no end") == 1
    assert sentences("") == 0
