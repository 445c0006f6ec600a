"""The API for people and programs: what it says, to whom, and what it never says."""

import csv
import io
import itertools
import json
import os
import threading
import time
import urllib.parse

import openapi_spec_validator
import pytest
import requests

from clients import Paho, curl
from tidegate import BINARY, run, wait_for

NAMES = itertools.count(1)
OPEN = {"/api/v1/openapi.json", "/api/v1/trust/server-ca.pem", "/api/v1/trust/root-ca.pem"}


@pytest.fixture(scope="module", autouse=True)
def tenants(server):
    server.tenant("acme")
    server.tenant("rival")
    server.tokens = {role: server.token("acme", role) for role in ("viewer", "operator", "admin")}
    server.rival = server.token("rival", "admin")
    server.session = requests.Session()
    server.session.verify, server.session.trust_env = str(server.ca), False


@pytest.fixture(scope="module")
def document(server):
    return call(server, "GET", "/openapi.json", None).json()


def call(server, method, path, token, **arguments):
    headers = arguments.pop("headers", {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return server.session.request(
        method, f"{server.people_url}/api/v1{path}", headers=headers, timeout=60, **arguments)


def new_name(prefix="device"):
    return f"{prefix}-{next(NAMES)}"


def register(server, name=None, **more):
    answer = call(server, "POST", "/tenants/acme/devices", server.tokens["operator"], json={"name": name or new_name(), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def without_instance(answer):
    """A problem document without the request's own identifier."""
    return {key: value for key, value in answer.json().items() if key != "instance"}


# The document


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    openapi_spec_validator.validate(document)


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield path, method.upper(), operation


def filled(path, tenant):
    """A path with its parameters filled in: a tenant, and names that nothing has."""
    for name, value in [("{tenant}", tenant), ("{device}", "absent"), ("{model}", "absent"), ("{plan}", "standard")]:
        path = path.replace(name, value)
    while "{" in path:
        path = path[: path.index("{")] + "0" * 32 + path[path.index("}") + 1 :]
    return path.removeprefix("/api/v1")


def body_of(operation):
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        return {"data": "{}", "headers": {"Content-Type": "application/json"}}
    return {"data": "", "headers": {"Content-Type": next(iter(content))}} if content else {}


def test_every_operation_answers_as_it_says(server, document):
    """With the administrator's rights and nothing sensible to ask, each answer is one that the document declares."""
    found = list(operations(document))
    assert len(found) > 50
    for path, method, operation in found:
        if path.endswith("/live"):
            continue
        answer = call(server, method, filled(path, "acme"), server.tokens["admin"], **body_of(operation))
        assert answer.status_code < 500, (method, path, answer.text)
        if answer.status_code >= 400:
            assert set(answer.json()) >= {"type", "title", "status", "code", "detail"}, (method, path)
        else:
            assert str(answer.status_code) in operation["responses"], (method, path, answer.status_code)


def test_every_operation_but_the_public_ones_needs_a_token(server, document):
    for path, method, operation in operations(document):
        answer = call(server, method, filled(path, "acme"), None, **body_of(operation))
        if path in OPEN:
            assert answer.status_code == 200, path
        else:
            assert answer.status_code in (401, 429), (method, path)
            if answer.status_code == 401:
                assert answer.json()["code"] == "token.missing" and answer.headers["www-authenticate"] == "Bearer"


def test_another_tenants_objects_look_absent_for_every_operation(server, document):
    for path, method, operation in operations(document):
        if not path.startswith("/api/v1/tenants/{tenant}"):
            continue
        answers = [
            call(server, method, filled(path, slug), server.rival, **body_of(operation)) for slug in ("acme", "no-such-tenant")]
        assert [answer.status_code for answer in answers] == [404, 404], (method, path)
        assert without_instance(answers[0]) == without_instance(answers[1]), (method, path)


# Problems


TEXTS = {"a zero": "a\0b", "a half of a pair": "\ud800", "controls": "\x01\x7f\x9f", "a formula": "=1+1", "much": "x" * 8000, "nothing": ""}


@pytest.mark.parametrize("what", TEXTS)
def test_no_text_in_a_query_or_path_breaks_anything(server, document, what):
    """On both engines alike: what can not be is refused as a request, never by the database."""
    text = urllib.parse.quote(TEXTS[what], errors="surrogatepass")
    for path, method, operation in operations(document):
        if path.endswith("/live"):
            continue
        address = filled(path, "acme")
        for parameter in operation.get("parameters", []):
            if "$ref" in parameter:
                parameter = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
            if parameter["in"] == "query":
                answer = call(server, method, f"{address}?{parameter['name']}={text}", server.tokens["admin"], **body_of(operation))
                assert answer.status_code < 500, (method, path, parameter["name"], answer.text)
            elif parameter["in"] == "path" and parameter["name"] != "tenant":
                named = filled(path.replace("{%s}" % parameter["name"], "WRONG"), "acme").replace("WRONG", text)
                answer = call(server, method, named, server.tokens["admin"], **body_of(operation))
                assert answer.status_code < 500, (method, path, parameter["name"], answer.text)


@pytest.mark.parametrize("what", TEXTS)
def test_no_text_in_a_body_breaks_anything(server, what):
    text = json.dumps(TEXTS[what])
    bodies = [
        ("POST", "/tenants/acme/devices", '{"name":%s}'), ("POST", "/tenants/acme/devices", '{"name":"odd-NEW","place":%s}'),
        ("POST", "/tenants/acme/devices", '{"name":"odd-NEW","labels":{"a":%s}}'), ("POST", "/tenants/acme/devices", '{"name":"odd-NEW","labels":{%s:"a"}}'),
        ("POST", "/tenants/acme/devices", '{"name":"odd-NEW","attributes":{"a":%s}}'), ("POST", "/tenants/acme/devices", '{"name":"odd-NEW","model":%s}'),
        ("POST", "/tenants/acme/devices", '{"name":"odd-NEW","domain":%s}'), ("POST", "/tenants/acme/devices", '{"name":"odd-NEW","components":{"a":%s}}'),
        ("POST", "/tenants/acme/devices", '{"name":"odd-NEW","identifiers":[{"kind":"serial","value":%s}]}'),
        ("PUT", "/tenants/acme/models/odd", '{"description":%s}'), ("PUT", "/tenants/acme/models/odd", '{"series":[{"name":%s}]}'),
        ("PUT", "/tenants/acme/models/odd", '{"series":[{"name":"a","unit":%s}]}'), ("POST", "/tenants/acme/domains", '{"name":%s}'),
        ("POST", "/tenants/acme/tokens", '{"role":%s}'), ("POST", "/tenants/acme/tokens", '{"role":"viewer","name":%s}'),
        ("POST", "/tenants/acme/principals", '{"kind":"client","name":%s}'), ("POST", "/tenants/acme/shares", '{"to":%s,"holder":"operator","role":"viewer"}'),
    ]
    for method, path, body in bodies:
        answer = call(
            server, method, path, server.tokens["admin"], data=(body % text).replace("NEW", new_name()),
            headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, (method, path, body, answer.text)
    answer = bulk(server, "text/csv", "name,place,label.a\nodd,%s,\n".encode() % TEXTS[what].encode(errors="surrogatepass"))
    assert answer.status_code < 500, answer.text


def test_absent_and_foreign_devices_look_the_same(server):
    own = register(server)
    foreign = call(server, "POST", "/tenants/rival/devices", server.rival, json={"name": "secret"}).json()
    answers = [
        call(server, "GET", f"/tenants/acme/devices/{name}", server.tokens["viewer"])
        for name in ("absent", "secret", foreign["id"], "0" * 32)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({json.dumps(without_instance(answer), sort_keys=True) for answer in answers}) == 1
    assert call(server, "GET", f"/tenants/acme/devices/{own['id']}", server.tokens["viewer"]).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", None, 404, "not.found"),
        ("GET", "/tenants/acme/nowhere", None, 404, "not.found"),
        ("PUT", "/tenants/acme/devices", None, 405, "method.notAllowed"),
        ("POST", "/tenants/acme/devices", b"{", 400, "request.invalid"),
        ("POST", "/tenants/acme/devices", b'{"name":"a","name":"b"}', 400, "request.invalid"),
        ("POST", "/tenants/acme/devices", b"[]", 400, "request.invalid"),
        ("POST", "/tenants/acme/devices", b"{}", 400, "request.invalid"),
        ("POST", "/tenants/acme/devices", b'{"name":"a b"}', 400, "request.invalid"),
        ("POST", "/tenants/acme/devices", b'{"name":"x","nmae":"y"}', 400, "request.invalid"),
        ("POST", "/tenants/acme/devices", b'{"name":"x","model":"never-made"}', 400, None),
        ("POST", "/tenants/acme/devices", b"[" * 1000, 400, "request.invalid"),
        ("POST", "/tenants/acme/devices", b'"' + b"x" * (2 << 20) + b'"', 413, None),
        ("GET", "/tenants/acme/devices?limit=0", None, 400, "request.invalid"),
        ("GET", "/tenants/acme/devices?limit=1001", None, 400, "request.invalid"),
        ("GET", "/tenants/acme/devices?limti=1", None, 400, "request.invalid"),
        ("GET", "/tenants/acme/devices?limit=1&limit=2", None, 400, "request.invalid"),
        ("GET", "/tenants/acme/devices?after=nonsense", None, 400, None),
        ("GET", "/tenants/acme/devices?filter=status%20%3D", None, 400, None),
        ("GET", "/tenants/acme/devices?filter=stauts%20%3D%20active", None, 400, None),
        ("GET", "/tenants/acme/devices?sort=colour", None, 400, "request.invalid"),
        ("GET", "/tenants/acme/audit?from=yesterday", None, 404, "not.found"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_wrong_request_gets_a_problem_document(server, method, path, body, status, code):
    answer = call(
        server, method, path, server.tokens["operator"], data=body, headers={"Content-Type": "application/json"} if body else {})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status and problem["title"] and problem["detail"]
    assert code is None or problem["code"] == code
    assert problem["type"] == f"urn:tidegate:problem:{problem['code']}"
    assert answer.headers["request-id"] in problem["instance"]
    if status == 405:
        assert "GET" in answer.headers["allow"] and "POST" in answer.headers["allow"]


def test_faults_are_named_by_json_pointer_with_a_hint(server):
    answer = call(
        server, "POST", "/tenants/acme/devices", server.tokens["operator"],
        json={"name": "ok", "lables": {}, "identifiers": [{"kind": "serial"}], "location": {"latitude": "north"}})
    faults = {fault["place"]: fault["message"] for fault in answer.json()["faults"]}
    assert "did you mean labels?" in faults["/lables"]
    assert "/identifiers/0/value" in faults and "/location/longitude" in faults and "/location/latitude" in faults


def test_a_taken_name_or_hardware_identifier_is_a_conflict(server):
    serial = [{"kind": "serial", "value": new_name("serial")}]
    made = register(server, identifiers=serial)
    again = call(server, "POST", "/tenants/acme/devices", server.tokens["operator"], json={"name": made["name"]})
    assert again.status_code == 409
    foreign = call(server, "POST", "/tenants/rival/devices", server.rival, json={"name": "thief", "identifiers": serial})
    assert foreign.status_code == 409, "unique in the whole deployment"
    assert "acme" not in foreign.text and made["name"] not in foreign.text


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Bearer tg_client_" + "0" * 40, "Bearer ", "Basic eDp5"])
def test_a_wrong_token_is_refused_without_a_reason(server, authorization):
    answers = []

    def judged():
        """Whether this address was answered, and not merely told that it shows too many wrong tokens."""
        answers.append(call(server, "GET", "/tenants/acme/devices", None, headers={"Authorization": authorization}))
        return answers[-1].status_code != 429

    wait_for(judged, "an answer")
    assert answers[-1].status_code == 401 and "acme" not in answers[-1].text


def test_a_revoked_token_ends_at_once(server):
    made = server.admin("token", "create", "--tenant", "acme", "--role", "viewer")
    assert call(server, "GET", "/tenants/acme/devices", made["token"]).status_code == 200
    server.admin("token", "revoke", made["id"], "--tenant", "acme")
    assert call(server, "GET", "/tenants/acme/devices", made["token"]).status_code == 401


# Roles


@pytest.mark.parametrize(
    ("role", "method", "path", "body", "status"),
    [
        ("viewer", "GET", "/tenants/acme", None, 200),
        ("viewer", "GET", "/tenants/acme/devices", None, 200),
        ("viewer", "GET", "/tenants/acme/models", None, 200),
        ("viewer", "POST", "/tenants/acme/devices", {"name": "x"}, 403),
        ("viewer", "PUT", "/tenants/acme/models/m", {}, 403),
        ("viewer", "GET", "/tenants/acme/audit", None, 404),
        ("viewer", "GET", "/tenants/acme/tokens", None, 404),
        ("viewer", "POST", "/tenants/acme/tokens", {"role": "viewer"}, 404),
        ("operator", "PUT", "/tenants/acme/models/role-test", {}, 200),
        ("operator", "POST", "/tenants/acme/domains", {"name": "x"}, 403),
        ("operator", "GET", "/tenants/acme/audit", None, 404),
        ("operator", "POST", "/tenants/acme/tokens", {"role": "admin"}, 404),
        ("admin", "GET", "/tenants/acme/audit", None, 200),
        ("admin", "GET", "/tenants/acme/tokens", None, 200),
        ("admin", "GET", "/tenants/acme/shares", None, 200),
        ("admin", "POST", "/tenants/acme/tokens", {"role": "platform-admin"}, None),
        ("admin", "GET", "/tenants", None, 404),
        ("admin", "POST", "/tenants", {"slug": "mine"}, 404),
        ("admin", "GET", "/plans", None, 404),
        ("admin", "PUT", "/plans/standard", {"devices": 1}, 404),
        ("admin", "POST", "/tenants/acme/suspend", None, 404),
        ("admin", "DELETE", "/tenants/acme", None, 404),
        ("admin", "POST", "/keys/rotate", {"what": "seal"}, 404),
        ("admin", "GET", "/tenants/platform/audit", None, 404),
    ],
)
def test_a_role_allows_what_it_says_and_no_more(server, role, method, path, body, status):
    answer = call(server, method, path, server.tokens[role], **({"json": body} if body is not None else {}))
    if status is None:
        assert answer.status_code in (400, 403, 404), answer.text
    else:
        assert answer.status_code == status, answer.text


def test_rights_at_a_domain_reach_down_and_not_sideways(server):
    for name in ("north", "south"):
        made = call(server, "POST", "/tenants/acme/domains", server.tokens["admin"], json={"name": name})
        assert made.status_code == 201, made.text
        register(server, f"in-{name}", domain=made.json()["id"])
    token = server.admin("token", "create", "--tenant", "acme", "--role", "operator", "--domain", "/north")["token"]
    listed = call(server, "GET", "/tenants/acme/devices", token).json()["items"]
    assert [item["name"] for item in listed] == ["in-north"]
    assert call(server, "GET", "/tenants/acme/devices/in-south", token).status_code == 404
    assert call(server, "POST", "/tenants/acme/devices/in-south/suspend", token).status_code == 404
    assert call(server, "POST", "/tenants/acme/devices/in-north/suspend", token).status_code == 200
    assert call(server, "POST", "/tenants/acme/devices", token, json={"name": "in-root"}).status_code in (403, 404)


def test_nobody_gives_away_more_than_they_hold(server):
    role = call(
        server, "PUT", "/tenants/acme/roles/clerk", server.tokens["admin"],
        json={"permissions": ["tenant.read", "principal.read", "principal.manage"], "reason": "a clerk for tests"})
    assert role.status_code == 200, role.text
    clerk = server.token("acme", "clerk")
    assert call(server, "POST", "/tenants/acme/tokens", clerk, json={"role": "clerk", "reason": "help"}).status_code == 201
    assert call(server, "POST", "/tenants/acme/tokens", clerk, json={"role": "admin"}).status_code == 403


# Lists


def test_a_cursor_walks_through_all_devices_once_in_order(server):
    token = server.tokens["viewer"]
    for number in range(7):
        register(server, f"page-{number}", labels={"walk": "yes"})
    for sort in ("name", "created"):
        names, after = [], None
        while True:
            answer = call(
                server, "GET", "/tenants/acme/devices", token,
                params={"limit": 3, "sort": sort, "filter": "label.walk = yes", **({"after": after} if after else {})})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            names += [item["name"] for item in page["items"]]
            after = page["next"]
            if not after:
                break
        assert names == [f"page-{number}" for number in range(7)], sort


def test_a_filter_finds_by_label_status_and_presence(server):
    register(server, "berlin-1", labels={"site": "Berlin Mitte"})
    register(server, "berlin-2", labels={"site": "Berlin Mitte"})
    call(server, "POST", "/tenants/acme/devices/berlin-2/suspend", server.tokens["operator"])

    def found(text):
        answer = call(server, "GET", "/tenants/acme/devices", server.tokens["viewer"], params={"filter": text, "count": "true"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["count"] == len(answer.json()["items"])
        return [item["name"] for item in answer.json()["items"]]

    assert found('label.site = "Berlin Mitte"') == ["berlin-1", "berlin-2"]
    assert found('label.site = "Berlin Mitte" and status = suspended') == ["berlin-2"]
    assert found('label.site = "Berlin Mitte" and not (status = suspended or online)') == ["berlin-1"]


def test_a_change_counts_only_for_the_revision_that_was_seen(server):
    made = register(server)
    path, token = f"/tenants/acme/devices/{made['id']}", server.tokens["operator"]
    tag = call(server, "GET", path, token).headers["etag"]
    first = call(server, "PATCH", path, token, json={"place": "pier"}, headers={"If-Match": tag})
    assert first.status_code == 200 and first.json()["place"] == "pier"
    assert call(server, "PATCH", path, token, json={"place": "quay"}, headers={"If-Match": tag}).status_code in (409, 412)
    assert call(server, "GET", path, token).json()["place"] == "pier"


# Writes that are repeated


def test_a_repeated_write_has_one_effect_and_one_answer(server):
    token, key = server.tokens["operator"], {"Idempotency-Key": new_name("key")}
    name = new_name()
    first = call(server, "POST", "/tenants/acme/devices", token, json={"name": name}, headers=dict(key))
    again = call(server, "POST", "/tenants/acme/devices", token, json={"name": name}, headers=dict(key))
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json(), "the token, shown once, is shown to the same caller again"
    assert again.headers["idempotency-replayed"] == "true" and "idempotency-replayed" not in first.headers
    other = call(server, "POST", "/tenants/acme/devices", token, json={"name": name + "x"}, headers=dict(key))
    assert other.status_code == 422 and other.json()["code"] == "idempotency.keyReused"
    stranger = call(server, "POST", "/tenants/acme/devices", server.tokens["admin"], json={"name": name}, headers=dict(key))
    assert stranger.status_code == 409, "another principal's key is another key"


def test_concurrent_repetitions_do_the_work_once(server):
    token, key, name = server.tokens["operator"], new_name("key"), new_name()
    answers = []

    def post():
        answers.append(requests.post(
            f"{server.people_url}/api/v1/tenants/acme/devices", json={"name": name}, verify=str(server.ca), timeout=60,
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key}))

    threads = [threading.Thread(target=post) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1


def test_a_refused_write_may_be_tried_again_under_its_key(server):
    token, key = server.tokens["operator"], new_name("key")
    body = {"name": new_name(), "model": "later"}
    assert call(server, "POST", "/tenants/acme/devices", token, json=body, headers={"Idempotency-Key": key}).status_code == 400
    assert call(server, "PUT", "/tenants/acme/models/later", token, json={}).status_code == 200
    assert call(server, "POST", "/tenants/acme/devices", token, json=body, headers={"Idempotency-Key": key}).status_code == 201


# Many at once


def count(server, text):
    answer = call(server, "GET", "/tenants/acme/devices", server.tokens["viewer"], params={"filter": text, "count": "true", "limit": 1})
    return answer.json()["count"]


def bulk(server, content_type, body):
    return call(
        server, "POST", "/tenants/acme/devices/bulk", server.tokens["operator"], data=body, headers={"Content-Type": content_type})


def csv_lines(prefix, number):
    return ["name,serial,label.batch,capabilities"] + [f"{prefix}-{n},{prefix.upper()}{n:06},{prefix},reports" for n in range(number)]


def test_a_thousand_devices_come_by_csv_and_each_gets_a_token_that_works(server):
    answer = bulk(server, "text/csv", "\r\n".join(csv_lines("fleet", 1000)))
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv"), answer.text
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 1000 and len({row["enrolmentToken"] for row in rows}) == 1000, rows[:1]
    assert count(server, "label.batch = fleet") == 1000
    device = server.register("acme", new_name())
    device.name, device.id, device.token = rows[500]["name"], rows[500]["id"], rows[500]["enrolmentToken"]
    assert device.enrol() == 200


def test_a_thousand_devices_come_by_json(server):
    body = [{"name": f"swarm-{n}", "identifiers": [{"kind": "serial", "value": f"SWARM{n}"}], "labels": {"batch": "swarm"}} for n in range(1000)]
    answer = bulk(server, "application/json", json.dumps(body))
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/x-ndjson"), answer.text
    assert len([json.loads(line) for line in answer.text.splitlines()]) == 1000
    assert count(server, "label.batch = swarm") == 1000


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a wrong name", "bad name,SERIAL-X,wrong,reports"), ("a missing field", "only-a-name"), ("a repeated name", "wrong-3,OTHER,wrong,reports"),
        ("a repeated serial", "another,WRONG000003,wrong,reports"), ("a wrong capability", "fine,FINE1,wrong,flies"),
        ("an empty name", ",SERIAL-Y,wrong,reports"),
    ],
)
def test_one_wrong_line_registers_nothing_and_is_named(server, what, line):
    lines = csv_lines("wrong", 1000)
    lines.insert(701, line)
    answer = bulk(server, "text/csv", "\n".join(lines))
    assert answer.status_code == 400 and answer.json()["code"] == "devices.invalid", answer.text
    assert [fault["place"] for fault in answer.json()["faults"]] == ["line 702"], what
    assert count(server, "label.batch = wrong") == 0


def test_a_name_or_serial_that_is_taken_is_named_by_its_place(server):
    taken = register(server, new_name("taken"), identifiers=[{"kind": "serial", "value": "TAKEN-1"}])
    body = [{"name": new_name()}, {"name": taken["name"]}, {"name": new_name(), "identifiers": [{"kind": "serial", "value": "TAKEN-1"}]}]
    answer = bulk(server, "application/json", "[" + ",\n".join(json.dumps(item) for item in body) + "]")
    assert answer.status_code in (400, 409), answer.text
    assert {fault["place"] for fault in answer.json()["faults"]} == {"/1", "/2"}
    assert call(server, "GET", f"/tenants/acme/devices/{body[0]['name']}", server.tokens["viewer"]).status_code == 404


def test_the_export_holds_every_device_and_no_secret(server):
    answer = call(server, "GET", "/tenants/acme/devices/export", server.tokens["viewer"], params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == count(server, "not label.batch = nothing")
    assert "oken" not in answer.text.splitlines()[0]


# Shares


def test_a_share_lets_another_tenant_in_until_it_ends_and_is_in_both_audits(server):
    server.tenant("plant")
    server.tenant("maker")
    server.enrolled("plant", "press")
    plant, maker, outsider = server.token("plant", "admin"), server.token("maker", "operator"), server.token("maker", "viewer")
    boss = server.token("maker", "admin")
    path = "/tenants/plant/devices/press"
    assert call(server, "GET", path, maker).status_code == 404
    offer = {"to": "maker", "holder": "operator", "role": "viewer", "ends": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}
    offered = call(server, "POST", "/tenants/plant/shares", plant, json=offer)
    assert offered.status_code == 201, offered.text
    share = offered.json()["id"]
    assert call(server, "GET", path, maker).status_code == 404, "not accepted yet"
    assert call(server, "POST", f"/tenants/plant/shares/{share}/accept", plant).status_code == 409, "not by who offers"
    assert call(server, "POST", f"/tenants/maker/shares/{share}/accept", maker).status_code == 404, "not by an operator"
    assert call(server, "POST", f"/tenants/rival/shares/{share}/accept", server.rival).status_code == 404
    accepted = call(server, "POST", f"/tenants/maker/shares/{share}/accept", boss)
    assert accepted.status_code == 200 and accepted.json()["status"] == "accepted"
    assert call(server, "GET", path, maker).status_code == 200
    assert call(server, "POST", f"{path}/suspend", maker).status_code == 403, "a viewer's rights only"
    assert call(server, "GET", path, outsider).status_code == 404, "the role's holders only"
    assert call(server, "POST", f"/tenants/maker/shares/{share}/end", boss).status_code == 200
    assert call(server, "GET", path, maker).status_code == 404
    for slug, token in [("plant", plant), ("maker", boss)]:
        def codes():
            answer = call(server, "GET", f"/tenants/{slug}/audit", token, params={"code": "share.", "limit": 100})
            return {entry["code"] for entry in answer.json()["items"]}

        wait_for(lambda: codes() == {"share.offered", "share.accepted", "share.ended"}, f"it is in the audit of {slug}")


def test_platform_staff_see_a_tenant_only_through_a_share(server):
    staff = server.token("platform", "platform-admin")
    assert call(server, "GET", "/tenants", staff).status_code == 200
    assert call(server, "GET", "/tenants/acme/devices", staff).status_code == 404
    assert call(server, "GET", "/tenants/acme/audit", staff).status_code == 404


# Readings


def test_live_values_arrive_within_two_seconds(server):
    device = server.enrolled("acme", new_name("live"))
    with Paho(server, device) as client, requests.get(
        f"{server.people_url}/api/v1/tenants/acme/devices/{device.name}/telemetry/live", params={"series": "power"},
        headers={"Authorization": f"Bearer {server.tokens['viewer']}"}, verify=str(server.ca), stream=True, timeout=30,
    ) as stream:
        assert stream.status_code == 200 and stream.headers["content-type"].startswith("text/event-stream")
        client.connected()
        lines = stream.iter_lines(decode_unicode=True, chunk_size=1)
        assert next(lines).startswith("retry:")
        for value in (41, 42.5):
            client.publish("telemetry", json.dumps({"ts": 1700000000000, "values": {"power": value, "voltage": 1}}))
            sent = time.monotonic()
            data = next(line for line in lines if line.startswith("data:"))
            assert time.monotonic() - sent < 10
            assert json.loads(data[5:]) == {"series": "power", "unit": "", "time": 1700000000000, "value": value}


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2024-01-02T00:00:00Z", "to": "2024-01-01T00:00:00Z"}, {"from": "noon"}, {},
        {"from": "2024-01-01T00:00:00Z", "aggregate": "max"}, {"from": "2024-01-01T00:00:00Z", "step": "5 parsecs"},
        {"from": "2024-01-01T00:00:00Z", "step": "1h", "aggregate": "median"},
        {"from": "1970-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z", "step": "1ms"},
    ],
    ids=str,
)
def test_a_query_that_makes_no_sense_is_refused(server, query):
    register(server, name := new_name())
    answer = call(server, "GET", f"/tenants/acme/devices/{name}/telemetry", server.tokens["viewer"], params=query)
    assert answer.status_code == 400 and answer.json()["code"] == "request.invalid", answer.text


def test_a_name_in_csv_can_not_become_a_formula(server):
    device = server.enrolled("acme", new_name())
    with Paho(server, device) as client:
        client.connected()
        client.publish("telemetry", json.dumps({"ts": 1700000000000, "values": {'=cmd|"x",1': 5}}))
    answer = call(
        server, "GET", f"/tenants/acme/devices/{device.name}/telemetry", server.tokens["viewer"],
        params={"from": "2023-01-01T00:00:00Z", "to": "2024-01-01T00:00:00Z"}, headers={"Accept": "text/csv"})
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["series", "time", "value"] and rows[1][0].startswith("'=") and rows[1][2] == "5"


# The listener


def test_every_answer_forbids_caching_and_guessing(server):
    for path, token in [("/tenants/acme", server.tokens["viewer"]), ("/tenants/acme", None), ("/nowhere", None), ("/openapi.json", None)]:
        headers = call(server, "GET", path, token).headers
        assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
        assert "max-age" in headers["strict-transport-security"] and "default-src" in headers["content-security-policy"]
        assert "server" not in headers or "/" not in headers["server"], "no version"


def test_http_2_is_spoken(server):
    answer = curl(
        server, f"{server.people_url}/api/v1/tenants/acme", "--http2", "--output", "/dev/null", "--header",
        f"Authorization: Bearer {server.tokens['viewer']}")
    assert answer.status == 200
    done = run(
        "curl", "--silent", "--cacert", server.ca, "--http2", "--output", "/dev/null", "--write-out", "%{http_version}",
        f"{server.people_url}/api/v1/openapi.json")
    assert done.stdout == b"2"


def test_people_need_tls_1_3(server):
    for version, works in [("1.2", False), ("1.3", True)]:
        done = run(
            "curl", "--silent", "--cacert", server.ca, f"--tlsv{version}", "--tls-max", version, "--output", "/dev/null",
            f"{server.people_url}/api/v1/openapi.json", check=False)
        assert (done.returncode == 0) == works, version


def test_plain_http_gets_nothing(server):
    done = run("curl", "--silent", "--max-time", "20", f"http://localhost:{server.ports['people']}/api/v1/openapi.json", check=False)
    assert done.returncode != 0 and not done.stdout


def test_the_trust_anchors_are_public(server):
    anchor = call(server, "GET", "/trust/server-ca.pem", None)
    assert anchor.content == server.ca.read_bytes()
    assert b"BEGIN CERTIFICATE" in call(server, "GET", "/trust/root-ca.pem", None).content


def test_the_command_line_reaches_the_api_by_url_and_token(server):
    register(server)
    done = run(
        BINARY, "admin", "--json", "--url", server.people_url, "--ca", server.ca, "device", "list", "--tenant", "acme", "--limit", "1",
        env={**os.environ, "TIDEGATE_TOKEN": server.tokens["viewer"]})
    assert len(json.loads(done.stdout)["items"]) == 1
