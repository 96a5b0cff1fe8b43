"""Figures for Prometheus: how many there can be does not depend on who asks for what."""

from __future__ import annotations

import re


def labels(text: str) -> set[str]:
    return set(re.findall(r"ocint_requests_total\{(.*)\} ", text))


def test_what_strangers_make_up_makes_no_new_figures(start_server) -> None:
    server = start_server()
    with server.client() as client, server.client(key="") as stranger:
        for letter in "abcdefghijklmnopqrstuvwxyz":
            stranger.request(f"MADE{letter}", f"/made-up/{letter}")
            stranger.request(letter, f"/api/v1/sessions/{letter}/files/{letter}")
            client.request(f"{letter}UP", "/api/v1/info")
            client.get(f"/made-up/{letter}")
            client.get(f"/api/v1/sessions/{letter}/files/{letter}")
        found = labels(client.get("/metrics").text)
    assert len(found) < 10, found
    methods = {re.search(r'method="(.*?)"', each)[1] for each in found}
    routes = {re.search(r'route="(.*?)"', each)[1] for each in found}
    assert methods == {"GET", "other"}
    assert routes <= {"none", "/api/v1/info", "/api/v1/sessions/{identity}/files/{path:path}"}
    assert "MADE" not in server.log()
