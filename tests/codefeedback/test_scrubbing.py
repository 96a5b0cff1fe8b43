"""Secrets and personal data: none that was planted survives, and plain code is left alone."""

from __future__ import annotations

import ast
import json
import re
import string
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opencodeinterpreter
from opencodeinterpreter.codefeedback.sessions.scrubbing import Scrubber, scrub

LETTERS = string.ascii_letters + string.digits
SECRETS = {
    "AWS": "AKIA" + "Q7" * 8,
    "GitHub": "ghp_" + "aB3" * 12,
    "OpenAI": "sk-proj-" + "aB3x" * 8,
    "Anthropic": "sk-ant-api03-" + "aB3x" * 8,
    "Slack": "xoxb-123456789012-" + "aB3" * 8,
    "Google": "AIza" + "aB3x5" * 7,
    "Stripe": "sk_live_" + "aB3" * 8,
    "Hugging Face": "hf_" + "aB3x" * 9,
    "GitLab": "glpat-" + "aB3x" * 5,
    "npm": "npm_" + "aB3x" * 9,
    "JWT": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "SflKxwRJSMeKKF2QT4",
    "e-mail": "ann.miller@clinic-north.de",
    "home": "/home/annmiller/data/patients.csv",
    "Mac": "/Users/annmiller/x.py",
    "Windows": "C:\\\\Users\\\\annmiller\\\\x.py",
    "IPv4": "10.23.45.67",
    "IPv6": "fe80:12ab:34cd:56ef:78ab:90cd:12ef:34ab",
    "phone": "+49 171 2345678",
    "US phone": "(415) 867-5309",
}
KERNEL = {"home": "annmiller", "Mac": "annmiller", "Windows": "annmiller"}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("place", ["x = '{}'\n", 'x = ["a", "{}"]\n', "# see {}\n", "Use {} for it.", "print('{}')"])
def test_nothing_that_was_planted_survives(kind: str, place: str) -> None:
    secret = SECRETS[kind]
    before = place.format(secret)
    after = scrub(before)
    assert KERNEL.get(kind, secret) not in after
    assert scrub(after) == after
    if place != "Use {} for it.":
        ast.parse(after)


def test_private_keys_go_as_a_whole() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc+/=\n-----END RSA PRIVATE KEY-----"
    assert scrub(f'key = """{key}"""\nprint(1)') == 'key = """PRIVATE_KEY_REMOVED"""\nprint(1)'
    assert "MIIE" not in scrub(key.replace("\n", "\\n"))
    assert "MIIE" not in scrub(key[:60])  # cut off


PASSWORD = st.text(LETTERS + "!%&_+", min_size=6, max_size=20).map(lambda text: "Zq7" + text)
ASSIGNMENTS = [
    'password = "{}"',
    "db_password='{}'",
    'conf = {{"api_key": "{}", "x": 1}}',
    'conf["client_secret"] = "{}"',
    "connect(user='ann', passwd = '{}')",
    'ACCESS_TOKEN: str = "{}"',
    'token = os.getenv("API_TOKEN", "{}")',
    'engine = create("postgres://ann:{}@db.local/x")',
    'get("https://x.org/a?api_key={}&b=1")',
    'headers = {{"Authorization": "Bearer {}aaaabbbbccccdddd"}}',
    "# my password is {}",
]


@settings(max_examples=60)
@given(st.sampled_from(ASSIGNMENTS), PASSWORD)
def test_passwords_in_assignments_and_addresses_go_and_the_code_stays_readable(form: str, password: str) -> None:
    if "postgres" in form or "api_key=" in form or "Bearer" in form:
        password = re.sub(r"\W", "x", password)
    code = form.format(password)
    after = scrub(code)
    assert password not in after
    assert re.search("PASSWORD_REMOVED|TOKEN_REMOVED", after)
    ast.parse(after)
    assert scrub(after) == after


def test_files_of_settings_and_commands() -> None:
    assert scrub("export DB_PASSWORD=hunter2x\nDEBUG=1") == "export DB_PASSWORD=PASSWORD_REMOVED\nDEBUG=1"
    assert scrub("mysql --password=hunter2x -u ann") == "mysql --password=PASSWORD_REMOVED -u ann"


@settings(max_examples=150)
@given(st.text(max_size=200))
def test_any_text_is_scrubbed_once_and_for_all(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once


def test_the_same_value_has_the_same_replacement_and_all_are_counted() -> None:
    scrubber = Scrubber()
    text = scrubber.text("a@b.de c@d.de a@b.de 10.0.0.1 10.0.0.2 10.0.0.1")
    first, second, third, *addresses = text.split()
    assert first == third != second
    assert addresses[0] == addresses[2] != addresses[1]
    assert scrubber.counts == {"e-mail address": 3, "IP address": 3}
    assert scrubber.text("10.0.0.2") == addresses[1]


def test_the_user_s_own_name_and_keys_go_too() -> None:
    scrubber = Scrubber(names=["annmiller", "root", "me"], known={"my-private-endpoint-key": "API key"})
    assert scrubber.text("/data/annmiller/x /srv/annmillers/y ~annmiller/z") == "/data/user/x /srv/annmillers/y ~user/z"
    assert scrubber.text("k('my-private-endpoint-key')") == "k('SECRET_REMOVED')"
    assert scrubber.text("/opt/root/me") == "/opt/root/me"
    assert scrubber.counts == {"user name": 2, "API key": 1}


@pytest.mark.parametrize(
    "code",
    [
        "password = input('Password: ')",
        "password = os.environ['DB_PASSWORD']",
        "def login(user: str, password: str = None): ...",
        "if token == '(' or token == 'abcdefgh': pass",
        "tokens = text.split(); token = tokens[0]",
        "token = 'number'",
        "api_key = 'your-api-key'",
        "password = '<password>'",
        "password = f'{first}{last}'",
        "label = 'Password must have 8 letters'",
        "raise ValueError('wrong password: try again')",
        "x[::2], x[1::3], a[b:c:d]",
        "version = '1.2.3.4'",
        "pip install x==1.2.3.4",
        "host = '127.0.0.1'; mask = '255.255.255.0'; any_ = '0.0.0.0'",
        "@property\ndef x(self): return self@other",
        "time = '12:34:56'; ratio = 3.14159; n = 1234567890123",
        "user@example.com",
        "date = '2024-01-15'; isbn = '978-3-16-148410-0'",
        "lst = [1234567890, -1000000000]",
        "/usr/local/bin /workspace/data.csv /home/user/x",
    ],
)
def test_what_is_nobody_s_is_left_alone(code: str) -> None:
    assert scrub(code) == code


def test_this_package_s_own_code_is_left_alone() -> None:
    folder = Path(opencodeinterpreter.__file__).parent
    changed = [
        path.name
        for path in sorted(folder.glob("sandbox/*.py"))[:12] + sorted(folder.glob("interpreter/*.py"))[:8]
        if scrub(path.read_text(encoding="utf-8")) != path.read_text(encoding="utf-8")
    ]
    assert changed == []


@pytest.mark.parametrize("piece", ["a.", "1", "sk-", "_", "a@", "password=", "http://a:", "\n", "eyJ."])
def test_long_texts_of_one_piece_take_no_time(piece: str) -> None:
    started = time.process_time()
    scrub(piece * (20_000 // len(piece)))
    assert time.process_time() - started < 3


SEEDS = Path(__file__).parents[2] / "examples" / "code-feedback" / "seeds" / "thealgorithms.jsonl"


def test_real_code_is_left_alone() -> None:
    rows = [json.loads(line) for line in SEEDS.read_text(encoding="utf-8").splitlines()]
    assert len(rows) > 40
    changed = [row for row in rows if scrub(row["code"]) != row["code"]]
    assert [row["name"] for row in changed] == ["indian_phone_validator"]  # its doctests hold phone numbers
    ast.parse(scrub(changed[0]["code"]))
