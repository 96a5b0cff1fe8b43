"""What is done with a model that is not here yet is known by its step, not by the text that tells where it is from."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from opencodeinterpreter.models.cache import CHECKING, FETCHED_BY_ANOTHER
from opencodeinterpreter.serving.shelf import Arrival

SHOW = """async (arriving) => {
  const { Log } = await import("/static/js/log.js");
  const log = new Log(document.createElement("div"), document.createElement("div"), {}, document.createElement("p"));
  log.show({ turns: [], changed: new Set() });
  log.arriving = arriving;
  log.paint();
}"""


def test_each_step_is_told_of_with_its_name() -> None:
    sources = ("", CHECKING, FETCHED_BY_ANOTHER, "huggingface.co")
    steps = [Arrival(source).shown()["step"] for source in sources]
    assert steps == ["loading", "checking", "waiting", "fetching"]


@pytest.mark.browser
def test_the_page_goes_by_the_step_whatever_the_source_is_called(open_page) -> None:
    client = open_page()
    told = client.page.locator("#queue")
    sources = ("", "checking", "waiting for another", "hub.example")
    for source in sources:
        for step, sentence in (
            ("loading", "The model is being loaded …"),
            ("checking", "The model’s file is checked: 50 %."),
            ("waiting", "Another program fetches the model; this one waits for it."),
            ("fetching", f"The model is fetched from {source}, once:"),
        ):
            client.page.evaluate(SHOW, {"step": step, "source": source, "done": 50, "total": 100})
            expect(told).to_contain_text(sentence, timeout=5000)
