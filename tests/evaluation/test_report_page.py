"""The HTML page: what is in the file, and how it behaves in a real browser."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from browser_pipe import Browser
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_runs import HIDDEN, config, made_record, sample_run, single_attempt
from static_pages import (
    HOSTILE,
    check_file_names_no_other_host,
    check_hostile_texts_do_nothing,
    check_light_and_dark,
    check_texts_stay_texts,
    needs_browser,
    packed_in,
    requests_of,
    sticks_out,
)

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.evaluation.records import ProblemRecord
from opencodeinterpreter.evaluation.reporting import build_report, render
from opencodeinterpreter.evaluation.run_folder import Run
from opencodeinterpreter.evaluation.verdicts import Verdict


def page_of(*runs: Run) -> str:
    return render(build_report(runs), "html")


def everything_in(page: str) -> str:
    return page + json.dumps(packed_in(page))


def hostile_run() -> Run:
    attempt = single_attempt(
        Verdict.WRONG, reply=HOSTILE, code=f"x = '''{HOSTILE}'''", messages=(Message("user", HOSTILE),), kind=HOSTILE
    )
    record = ProblemRecord(f"HumanEval/{HOSTILE}", (attempt, replace(attempt, round=1, code=HOSTILE)), 1)
    return Run(
        config("execution", model=HOSTILE, command=HOSTILE, settings={HOSTILE: HOSTILE}), (record,), faults=(HOSTILE,)
    )


# The file


def test_the_page_names_no_other_host() -> None:
    page = page_of(sample_run("execution", problems=5))
    check_file_names_no_other_host(page.replace("http://www.w3.org/2000/svg", ""))  # a name, not an address


def test_the_page_is_the_same_wherever_it_is_made() -> None:
    assert page_of(sample_run(problems=3)) == page_of(sample_run(problems=3))


def test_the_failing_input_is_shown_only_where_the_run_is_not_honest() -> None:
    assert HIDDEN in everything_in(page_of(sample_run("execution", problems=20)))
    honest = everything_in(page_of(sample_run("visible", problems=40), sample_run("single", problems=40)))
    assert HIDDEN not in honest
    assert '"kind": "IndexError"' in honest  # the kind of an error gives nothing away


def test_texts_of_a_model_stay_texts_in_the_file() -> None:
    page = page_of(hostile_run())
    check_texts_stay_texts(page, scripts=3)  # the index, one piece, the page's own
    assert packed_in(page)[0]["texts"].count(HOSTILE) == 1


@settings(max_examples=8)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=4), st.text(max_size=60))
def test_packing_loses_nothing(texts: list[str], code: str) -> None:
    messages = tuple(Message("user", text) for text in texts)
    attempt = single_attempt(Verdict.PASS, messages=messages, reply=texts[0], code=code)
    (piece,) = packed_in(page_of(Run(config(), (ProblemRecord("p", (attempt,), 0),))))
    (stored,) = piece["records"][0]["attempts"]
    assert [piece["texts"][place] for _, place in stored["messages"]] == texts
    assert piece["texts"][stored["reply"]] == texts[0]
    assert stored["code"] == -1 if not code.strip() else piece["texts"][stored["code"]].split("\n") == code.splitlines()


def test_differences_lead_from_one_code_to_the_other() -> None:
    before = single_attempt(Verdict.WRONG, code="a\nb\nc\nd\n")
    after = single_attempt(Verdict.PASS, number=1, code="a\nx\nc\nd\ne\n")
    (piece,) = packed_in(page_of(Run(config("execution"), (ProblemRecord("p", (before, after), 1),))))
    stored = piece["records"][0]["attempts"][1]
    old, new = (piece["texts"][stored[name]].split("\n") for name in ("before", "code"))
    made = []
    for changed, i1, i2, j1, j2 in stored["changes"]:
        made += new[j1:j2] if changed else old[i1:i2]
    assert made == new
    assert stored["against"] == 0


def test_a_reply_without_end_does_not_make_the_page_useless() -> None:
    endless = single_attempt(Verdict.WRONG, reply="again " * 1_000_000, code="x\n" * 1_000_000)
    page = page_of(Run(config(), (ProblemRecord("p", (endless,), 0),)))
    assert len(page) < 500_000
    assert "characters more]" in json.dumps(packed_in(page))


# In a browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = [
        sample_run("single", problems=40),
        sample_run("execution", problems=400, problem_count=400),
        sample_run("human", problems=30),
        sample_run("select", problems=30),
        Run(config("single", samples=2), (made_record("a", Verdict.PASS), made_record("a", Verdict.WRONG, sample=1))),
    ]
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page_of(*runs), encoding="utf-8")
    return path


DETAIL = "document.querySelector('#detail').innerText"
TITLE = "document.querySelector('#detail h3')?.textContent"
ROWS = "document.querySelectorAll('#rows button').length"
FOCUS = "document.activeElement.innerText"


@needs_browser
def test_the_page_asks_for_nothing_and_complains_of_nothing(browser: Browser, page: Path) -> None:
    browser.open(page, "#log/1/HumanEval%2F7/0")
    browser.until(f"{TITLE} === 'HumanEval/7'")
    assert requests_of(browser) == [page.as_uri()]
    assert browser.complaints == []


@needs_browser
def test_a_record_is_shown_in_full(browser: Browser, page: Path) -> None:
    browser.open(page, "#log/1")
    browser.ask(
        "(document.querySelector('#change').value = 'fixed', "
        "document.querySelector('#change').dispatchEvent(new Event('change')))"
    )
    browser.ask("document.querySelector('#rows button').click()")
    browser.until(TITLE)
    text = browser.ask(DETAIL)
    for part in (
        "Round 0 · answer",
        "Round 1 · refinement · handed over",
        "Execution result:",
        "base tests: first failure",
        HIDDEN,
        "Difference to attempt 1",
        "extracted by: fenced block",
    ):
        assert part in text
    assert "[object" not in text
    assert browser.ask("document.querySelectorAll('#detail .add').length") > 0
    assert browser.ask("document.querySelectorAll('#detail .cut').length") > 0
    assert browser.ask("[...document.querySelectorAll('#detail .k')].some((word) => word.textContent === 'def')")


@needs_browser
def test_thousands_of_rows_are_drawn_as_they_are_needed(browser: Browser, page: Path) -> None:
    browser.open(page, "#log/1")
    assert browser.until(ROWS) == 150
    browser.ask("document.querySelector('#rows').scrollTop = 1e6")
    assert browser.until(f"{ROWS} > 150")
    browser.open(page, "#log/1/HumanEval%2F399/0")
    browser.until(f"{TITLE} === 'HumanEval/399'")
    assert browser.ask(ROWS) == 400


@needs_browser
def test_filters_by_verdict_change_and_name(browser: Browser, page: Path) -> None:
    browser.open(page, "#log/1")
    count = "document.querySelector('#count').textContent"
    assert browser.ask(count) == "400 of 400 records"
    browser.ask("document.querySelector('#verdicts [data-verdict=\"0\"]').click()")
    passing = int(browser.ask(count).split()[0])
    assert 0 < passing < 400
    browser.ask("document.querySelector('#verdicts [data-verdict=\"1\"]').click()")
    assert int(browser.ask(count).split()[0]) > passing
    browser.open(page, "#log/1")
    browser.ask(
        "(document.querySelector('#find').value = 'eval/39', "
        "document.querySelector('#find').dispatchEvent(new Event('input')))"
    )
    assert browser.ask(count) == "11 of 400 records"


@needs_browser
def test_the_log_can_be_read_with_the_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page, "#log/0")
    browser.ask("document.body.focus()")
    browser.press("/")
    assert browser.ask("document.activeElement.id") == "find"
    for _ in range(40):
        browser.press("Tab")
        if browser.ask("document.activeElement.getAttribute('role')") == "option":
            break
    browser.press("Enter")
    browser.until(f"{TITLE} === 'HumanEval/0'")
    browser.press("ArrowDown")
    browser.press("ArrowDown")
    browser.until(f"{TITLE} === 'HumanEval/2'")
    assert browser.ask(FOCUS).startswith("HumanEval/2")
    browser.press("End")
    browser.until(f"{TITLE} === 'HumanEval/39'")
    assert browser.ask("location.hash") == "#log/0/HumanEval%2F39/0"
    browser.ask("document.querySelector('#detail').focus()")
    browser.press("Escape")
    assert browser.ask(FOCUS).startswith("HumanEval/39")


@needs_browser
def test_samples_steps_and_dialogs_beside_are_shown(browser: Browser, page: Path) -> None:
    browser.open(page, "#log/4/a/1")
    browser.until(f"{TITLE} === 'a · sample 1'")
    browser.open(page, "#log/3/HumanEval%2F1/0")
    browser.until(f"{TITLE} === 'HumanEval/1'")
    assert "choice of: " in browser.ask(DETAIL)
    browser.open(page, "#log/2")
    browser.ask(
        "(document.querySelector('#change').value = 'refined', "
        "document.querySelector('#change').dispatchEvent(new Event('change')))"
    )
    browser.ask("document.querySelector('#rows button').click()")
    browser.until(TITLE)
    assert "Beside it · feedback" in browser.ask(DETAIL)


@needs_browser
def test_hostile_texts_do_nothing(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page_of(hostile_run()), encoding="utf-8")
    browser.open(path)
    browser.ask("document.querySelector('#rows button').click()")
    browser.until(TITLE)
    check_hostile_texts_do_nothing(browser, DETAIL, title="Evaluation report")


@needs_browser
@pytest.mark.parametrize("width", [360, 768, 1360])
def test_nothing_sticks_out_at_any_width(browser: Browser, page: Path, width: int) -> None:
    browser.shape(width, 900)
    browser.open(page, "#log/1/HumanEval%2F3/0")
    browser.until(f"{TITLE} === 'HumanEval/3'")
    assert not sticks_out(browser, width)
    browser.open(page, "#log/2")
    browser.until(ROWS)
    assert not sticks_out(browser, width)


@needs_browser
def test_light_and_dark(browser: Browser, page: Path) -> None:
    check_light_and_dark(browser, page)


TRICKY = '''@cache
def f(a: int = 0x1F, *, b="it's", c='\\'"') -> str:
    """Doc with # and 'quotes'

    over lines."""
    d = rb"\\d+" ; e = f'{a!r}' if a else 1.5e-3  # not a "string
    return class_.def_ or "never closed
    x = """never closed either <b>&amp;</b>
'''


@needs_browser
def test_highlighting_changes_no_letter_of_a_program(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    run = Run(config(), (ProblemRecord("p", (single_attempt(Verdict.PASS, code=TRICKY),), 0),))
    path.write_text(page_of(run), encoding="utf-8")
    browser.open(path, "#log/0/p/0")
    browser.until(TITLE)
    lines = browser.ask(
        "[...document.querySelectorAll('#detail pre.code > span')].map((line) => "
        "[...line.childNodes].slice(1).map((part) => part.textContent).join('').replace('\\u200b', ''))"
    )
    assert lines == TRICKY.splitlines()
    kinds = "[...document.querySelectorAll('#detail .code .{}')].map((part) => part.textContent)"
    assert browser.ask(kinds.format("k"))[:1] == ["def"]
    assert browser.ask(kinds.format("c")) == ['# not a "string']
    assert "@cache" in browser.ask(kinds.format("f"))
