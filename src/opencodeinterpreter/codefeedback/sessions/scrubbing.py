"""Removes secrets and personal data from texts and code, and leaves the code as runnable as it was.

What is found is replaced by something of the same sort that belongs to nobody: addresses out of the ranges that are
kept free for documentation (RFC 5737, RFC 3849), ``example.com`` (RFC 2606), telephone numbers kept free for fiction,
words in capitals for keys and passwords. The same value becomes the same replacement throughout a dialog, and what has
been scrubbed once is not changed by a second time.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

_KEYS: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    + "|".join(
        (
            r"(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}",  # AWS
            r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}",
            r"glpat-[\w-]{18,}",
            r"sk-(?:proj-|ant-|or-|svcacct-)?[A-Za-z0-9_-]{18,}",  # OpenAI, Anthropic, OpenRouter
            r"(?:sk|pk|rk)_(?:live|test)_[0-9A-Za-z]{14,}",  # Stripe
            r"xox[abeprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}",  # Slack
            r"AIza[\w-]{33,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}",  # Google
            r"hf_[A-Za-z0-9]{28,}|gsk_[A-Za-z0-9]{28,}|r8_[A-Za-z0-9]{30,}|xai-[A-Za-z0-9]{30,}|nvapi-[\w-]{30,}",
            r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
            r"(?:SK|AC)[0-9a-f]{32}",  # Twilio
            r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}|dckr_pat_[\w-]{20,}",
            r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|dop_v1_[0-9a-f]{40,}|hvs\.[\w-]{20,}",
            r"\d{8,10}:AA[\w-]{32,}",  # Telegram
            r"[MNO][A-Za-z\d_-]{23,}\.[\w-]{6}\.[\w-]{27,}",  # Discord
        )
    )
    + r")(?![A-Za-z0-9_])"
)
_PRIVATE: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_TOKENS: Final = (
    re.compile(r"(?<![\w-])(?P<secret>eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]{4,})?)"),  # a JSON web token
    re.compile(r"\b(?:bearer|basic)\s+(?P<secret>[A-Za-z0-9._~+/-]{16,}={0,2})", re.IGNORECASE),
    re.compile(r"\bhooks\.slack\.com/services/(?P<secret>[\w/]{20,})"),
    re.compile(
        r"[?&;](?:[\w-]{0,30}?(?:key|token|secret|password|passwd|sig|signature))=(?P<secret>[^&\s\"'<>{}]{6,})", re.I
    ),
)
_NAME: Final = (
    r"(?:pass(?:word|wd|phrase|code)|passwort|kennwort|pwd|secret|api[_-]?key|apikey|access[_-]?key|account[_-]?key"
    r"|secret[_-]?key|private[_-]?key|encryption[_-]?key|signing[_-]?key|auth[_-]?key|client[_-]?secret"
    r"|(?:access|auth|bearer|refresh|session|api|bot|id|user)[_-]?token|credentials?)"
)
_STRING: Final = r"(?:\"(?P<d>(?:\\.|[^\"\\\n]){4,})\"|'(?P<s>(?:\\.|[^'\\\n]){4,})')"
_ASSIGNED: Final = (
    # password = "…", "password": "…", password="…", conf["password"] = "…", const apiKey: string = '…'
    re.compile(
        rf"{_NAME}\d*[\"']?\]?(?:\s*:\s*(?:str|string|String))?"
        rf"\s*(?:=>|:=|=|:)\s*[bru]?{_STRING}", re.I
    ),
    re.compile(rf"\b(?:get|getenv|setdefault|environ\.get)\(\s*[\"'][\w.-]{{0,40}}?{_NAME}[\"']\s*,\s*{_STRING}", re.I),
    # DB_PASSWORD=… of a shell or an .env file
    re.compile(r"^[ \t]*(?:export\s+|set\s+|ENV\s+)?[A-Z0-9_]{0,40}?"
               r"(?:PASS(?:WORD|WD)?|SECRET|TOKEN|API_?KEY|ACCESS_KEY)[A-Z0-9_]{0,40}"
               r"=(?P<p>[^\s\"'$`(){}\[\],;]{4,})\s*$", re.MULTILINE),
    re.compile(r"--(?:password|passwd|pass|token|secret|api-key)[= ]"
               r"(?P<p>[^\s\"'$`(){}\[\],;-][^\s\"'$`(){}\[\],;]{3,})"),
    # my password is …
    re.compile(r"\b(?:password|passwort|passphrase|api key|secret)\s*(?:is|ist|:|=)\s+[\"'`]?"
               r"(?P<p>(?=\S*\d)(?=\S*[A-Za-z])[^\s\"'`,;()\[\]{}]{6,})", re.I),
)  # fmt: skip
_USERINFO: Final = re.compile(
    r"\b(?P<scheme>[a-z][a-z0-9+.-]{0,20}://)(?P<user>[^\s/:@\"'<>{}]*):(?P<word>[^\s/@\"'<>{}]+)@", re.I
)
_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]*@(?:[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}(?![\w@])"
)
_HOME: Final = re.compile(
    r"(?P<before>(?<![\w.])/(?:home|Users)/|\b[A-Za-z]:(?:\\\\|\\|/)Users(?:\\\\|\\|/))(?P<name>[^\s/\\\"'`<>:|?*(){}\[\],;]+)"
)
_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6: Final = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{1,4}(?::{1,2})){3,7}[0-9a-fA-F]{1,4}(?![\w:.])")
_PHONE: Final = re.compile(
    r"(?<![\w.+/-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|(?:1[ .-])?\d{3}-\d{3}-\d{4}|\d{3}\.\d{3}\.\d{4})(?![\w-]|\.\d)"
)
_VERSION: Final = re.compile(r"(?:version|release|\bv|==|>=|<=|~=)\s*[=:]?\s*[\"']?$", re.IGNORECASE)

_NO_SECRET: Final = re.compile(
    r"[\w-]*_REMOVED\b.*|[<\[{$%*x•.#-].*|(?:your|my|some|the|new|old|wrong|invalid|correct|enter|example|sample|dummy|fake)"
    r"[ _-].*|.*[ {}].*|(?:pass(?:word|wd)|secret|token|api[_-]?key|string|text|str|null|none|true|false|hidden|value"
    r"|bearer|basic|required|optional|username|changeme|\*+)",
    re.IGNORECASE | re.DOTALL,
)
"""Values that stand where a secret would, and are none: what is to be filled in, templates, sentences, types."""
_NOBODY: Final = frozenset(
    {
        "user",
        "username",
        "user_name",
        "yourname",
        "your_name",
        "name",
        "you",
        "me",
        "shared",
        "runner",
        "public",
        "default",
    }
)
_DOMAINS: Final = ("example.com", "example.org", "example.net", "example.edu")
_FREE: Final = tuple(
    ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)

KINDS: Final = (
    "private key",
    "API key",
    "token",
    "password",
    "e-mail address",
    "home folder",
    "user name",
    "IP address",
    "telephone number",
)


class Scrubber:
    """Scrubs the texts of one dialog. Make a new one for the next, so that nothing links the two.

    Args:
        names: user names that stand in paths beyond home folders, and wherever they are part of a path.
        known: texts that must not stay, such as keys in the configuration, each with its kind.
    """

    def __init__(self, names: Iterable[str] = (), known: Mapping[str, str] | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._seen: dict[tuple[str, str], str] = {}
        self._names = [name for name in names if len(name) > 2 and name.lower() not in _NOBODY | {"root", "admin"}]
        self._known = {text: kind for text, kind in (known or {}).items() if len(text) >= 6}

    def text(self, text: str) -> str:
        """Return a text, or code, without what belongs to somebody."""
        for secret, kind in self._known.items():
            if secret in text:
                self.counts[kind] += text.count(secret)
                text = text.replace(secret, "SECRET_REMOVED")
        text = _PRIVATE.sub(lambda _: self._count("private key", "PRIVATE_KEY_REMOVED"), text)
        text = _USERINFO.sub(self._userinfo, text)
        text = _KEYS.sub(lambda _: self._count("API key", "API_KEY_REMOVED"), text)
        for pattern in _TOKENS:
            text = pattern.sub(self._group("token", "TOKEN_REMOVED"), text)
        for pattern in _ASSIGNED:
            text = pattern.sub(self._group("password", "PASSWORD_REMOVED"), text)
        text = _EMAIL.sub(self._email, text)
        text = _HOME.sub(self._home, text)
        for name in self._names:
            text = re.sub(rf"(?<=[/\\~]){re.escape(name)}(?![\w-])", lambda _: self._count("user name", "user"), text)
        text = _IPV4.sub(self._address, text)
        text = _IPV6.sub(self._address, text)
        return _PHONE.sub(self._phone, text)

    def value(self, value: Any) -> Any:
        """Return a JSON value with every text in it scrubbed, and its keys as they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def _count(self, kind: str, replacement: str) -> str:
        self.counts[kind] += 1
        return replacement

    def _numbered(self, kind: str, value: str) -> int:
        """Return which value of its kind this is, from 1; the same value has the same number."""
        self.counts[kind] += 1
        known = sum(each == kind for each, _ in self._seen)
        return int(self._seen.setdefault((kind, value), str(known + 1)))

    def _group(self, kind: str, replacement: str) -> Callable[[re.Match[str]], str]:
        def replaced(match: re.Match[str]) -> str:
            name = next(name for name, text in match.groupdict().items() if text is not None)
            if _NO_SECRET.fullmatch(match[name]):
                return match.group()
            self.counts[kind] += 1
            start, end = match.start(name) - match.start(), match.end(name) - match.start()
            return match.group()[:start] + replacement + match.group()[end:]

        return replaced

    def _userinfo(self, match: re.Match[str]) -> str:
        if _NO_SECRET.fullmatch(match["word"]):
            return match.group()
        return f"{match['scheme']}user:{self._count('password', 'PASSWORD_REMOVED')}@"

    def _email(self, match: re.Match[str]) -> str:
        domain = match.group().rpartition("@")[2].lower()
        if match.group().startswith("PASSWORD_REMOVED@"):
            return match.group()  # of an address of a database, done already
        if domain in _DOMAINS or domain.endswith((".example.com", ".test", ".invalid", ".example")):
            return match.group()
        return f"user{self._numbered('e-mail address', match.group().lower())}@example.com"

    def _home(self, match: re.Match[str]) -> str:
        name = match["name"].rstrip(".")
        if name.lower() in _NOBODY or not name:
            return match.group()
        return match["before"] + self._count("home folder", "user") + match["name"][len(name) :]

    def _address(self, match: re.Match[str]) -> str:
        try:
            address = ipaddress.ip_address(match.group())
        except ValueError:
            return match.group()
        general = (
            address.is_loopback or address.is_unspecified or address.is_multicast or str(address).startswith("255.")
        )
        if (
            general
            or str(address).endswith(".0")
            or any(address in net for net in _FREE if net.version == address.version)
        ):
            return match.group()  # says nothing of anybody: this machine, a mask, a whole network, an example
        if _VERSION.search(match.string[max(0, match.start() - 16) : match.start()]):
            return match.group()
        number = self._numbered("IP address", str(address))
        return f"192.0.2.{number % 254 + 1}" if address.version == 4 else f"2001:db8::{number:x}"

    def _phone(self, match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        if not 9 < len(digits) < 16 or re.search(r"555-?01\d\d$", match.group()):
            return match.group()
        return f"202-555-01{self._numbered('telephone number', digits) % 100:02d}"


def scrub(text: str, names: Iterable[str] = ()) -> str:
    """Return one text without what belongs to somebody."""
    return Scrubber(names).text(text)
