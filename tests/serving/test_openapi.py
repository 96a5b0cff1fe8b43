"""The OpenAPI document, and requests made from it: none may end in a fault of the server."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving_client import TOKEN, Client

EXAMPLES = 8
"""For each route."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def described(server):
    return schemathesis.openapi.from_url(
        f"{server.url}/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}, wait_for_schema=10
    )


@pytest.fixture(scope="module")
def session(server) -> str:
    """A session with something in it, which the requests are made for, beside those that are made up."""
    with server.client() as client:
        session = client.new()
        client.run(session, "run: open('made.txt', 'w').write('x')")
        return session


def test_no_request_ends_in_a_fault(described, session: str) -> None:
    asked = []
    for result in described.get_all_operations():
        operation = result.ok()
        asked.append(operation.label)

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def check(case) -> None:
            if case.method != "DELETE" and "identity" in (case.path_parameters or {}):
                case.path_parameters["identity"] = session
            if case.path.endswith("/events"):
                case.query = {**(case.query or {}), "live": "false"}
            if isinstance(case.body, dict) and "stream" in case.body:
                case.body["stream"] = False
            response = case.call(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
            case.validate_response(response, checks=CHECKS)

        check()
    assert len(asked) > 20


def test_no_request_without_a_key_ends_in_a_fault_or_is_let_in(described) -> None:
    answered: set[tuple[str, int]] = set()
    for result in described.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def check(case) -> None:
            case.query = {"sig": "é", **(case.query or {})}
            response = case.call(headers={"Authorization": ""}, timeout=60)
            answered.add((f"{case.method} {case.path}", response.status_code))

        check()
    assert {(label, status) for label, status in answered if status not in (401, 404)} == {("GET /healthz", 200)}


def test_the_document_names_what_the_server_does(client: Client) -> None:
    document = client.get("/openapi.json").json()
    assert {"/api/v1/sessions/{identity}/messages", "/v1/chat/completions", "/healthz"} <= set(document["paths"])
    message = document["paths"]["/api/v1/sessions/{identity}/messages"]["post"]["responses"]
    assert {"202", "404", "409", "413", "422", "429", "503"} <= set(message)
    refused = message["422"]["content"]["application/json"]["schema"]
    assert refused == {"$ref": "#/components/schemas/ErrorAnswer"}
