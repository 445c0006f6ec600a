"""Schemathesis makes requests of what the API's document allows and forbids, and holds the answers against it.

The seed is fixed and the examples few, so that a run is the same each time and takes a minute or so; what it finds is
either a fault of the server or of the document.
"""

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance, response_headers_conformance, response_schema_conformance, status_code_conformance)

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]
# The bytes of an upload are bytes.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

# What is there for the requests to meet; the names are put into paths that would otherwise lead nowhere.
KNOWN = {"tenant": "acme", "device": "meter-1", "model": "meter", "group": "crew", "role": "reader"}


@pytest.fixture(scope="module")
def prepared(sqlite_server):
    server = sqlite_server
    server.tenant("acme")
    server.owner = server.token("acme", "owner")
    for method, path, body in [
        ("PUT", "models/meter", {"series": [{"name": "power"}]}), ("POST", "devices", {"name": "meter-1", "model": "meter"}),
        ("POST", "groups", {"name": "crew"}), ("PUT", "roles/reader", {"permissions": ["device.read"], "reason": "tests"}),
    ]:
        answer = requests.request(
            method, f"{server.people_url}/api/v1/tenants/acme/{path}", json=body, verify=str(server.ca), timeout=30,
            headers={"Authorization": f"Bearer {server.owner}"})
        assert answer.status_code in (200, 201), answer.text
    return server


@pytest.fixture(scope="module")
def api(prepared):
    document = requests.get(f"{prepared.people_url}/api/v1/openapi.json", verify=str(prepared.ca), timeout=30).json()
    found = schemathesis.openapi.from_dict(document)
    found.config.update(base_url=prepared.people_url)
    found.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    found.config.phases.coverage.enabled = False
    return found


document = schemathesis.pytest.from_fixture("api")


@document.parametrize()
@settings(
    max_examples=10, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate])
def test_every_answer_is_one_that_the_document_declares(case, prepared):
    if case.path.endswith("/live"):
        return  # A stream without an end.
    if case.method != "DELETE":
        for name, value in KNOWN.items():
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = value
    answer = case.call(
        headers={"Authorization": f"Bearer {prepared.owner}"}, verify=str(prepared.ca), timeout=30, allow_redirects=False)
    if answer.status_code != 429:
        case.validate_response(answer, checks=CHECKS)
