"""The audit trail: it tells who did what, and whoever changes it afterwards is found out."""

import json
import shutil
import sqlite3

import pytest

from tidegate import BINARY, Server, run, wait_for


def entries(server, tenant, token, **query):
    answer = server.get(f"/tenants/{tenant}/audit", token, params={"limit": 1000, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def verify(*arguments):
    """`tidegate verify audit`: its exit code, and its report of each log by the log's tenant."""
    done = run(BINARY, "verify", "audit", "--json", *arguments, check=False)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {report["tenant"]: report for report in reports}


# What it tells, on each engine


@pytest.fixture(scope="module")
def admin(server):
    server.tenant("acme")
    return server.token("acme", "admin")


def test_it_tells_who_did_what_from_where_with_which_credential(server, admin):
    device = server.post("/tenants/acme/devices", admin, json={"name": "meter-1"}).json()
    assert server.post("/tenants/acme/devices/meter-1/suspend", admin, json={"reason": "lent out"}).status_code == 200
    caller = server.get("/principal", admin).json()
    found = wait_for(lambda: entries(server, "acme", admin, code="device.suspended"), "the entry has its place")
    [entry] = found
    assert (entry["objectKind"], entry["objectId"], entry["outcome"]) == ("device", device["id"], "success")
    assert (entry["actor"], entry["actorKind"], entry["credential"]) == (caller["id"], "client", caller["credential"])
    assert entry["address"] == "127.0.0.1" and entry["time"].endswith("Z") and not entry["shredded"]
    [registered] = [entry for entry in entries(server, "acme", admin, code="device.registered")]
    assert registered["index"] < entry["index"] and registered["time"] <= entry["time"]


def test_a_devices_own_acts_carry_its_credential(server, admin):
    device = server.enrolled("acme", "meter-2")
    [entry] = wait_for(lambda: entries(server, "acme", admin, code="device.enrolled", objectKind="device", objectId=device.id), "the entry")
    assert entry["actorKind"] == "device" and entry["credential"] == "enrolment-token"
    assert len(entry["details"]["fingerprint"]) == 64


def test_what_was_denied_is_told_as_well(server, admin):
    viewer = server.token("acme", "viewer")
    assert server.post("/tenants/acme/devices/meter-1/resume", viewer).status_code == 403
    assert server.get("/tenants/acme/audit", viewer).status_code == 404
    caller = server.get("/principal", viewer).json()["id"]

    def denied():
        return {entry["objectId"] for entry in entries(server, "acme", admin, outcome="denied", actor=caller)}

    wait_for(lambda: {"device.manage", "audit.read"} <= denied(), "both denials")


def test_reading_and_exporting_are_acts_too(server, admin):
    entries(server, "acme", admin)
    assert server.get("/tenants/acme/audit/export", admin).status_code == 200
    wait_for(lambda: {"audit.read", "audit.exported"} <= {entry["code"] for entry in entries(server, "acme", admin, code="audit.")}, "the entries")


def test_pages_are_the_newest_first_and_cover_everything_once(server, admin):
    for number in range(5):
        server.post("/tenants/acme/devices", admin, json={"name": f"page-{number}"})
    wait_for(lambda: len(entries(server, "acme", admin, code="device.registered")) == 7, "all entries")
    found, after = [], {}
    while True:
        page = server.get("/tenants/acme/audit", admin, params={"code": "device.registered", "limit": 3, **after}).json()
        found += [entry["index"] for entry in page["items"]]
        if not page["next"]:
            break
        after = {"after": page["next"]}
    assert len(found) == 7 and found == sorted(set(found), reverse=True)
    first = entries(server, "acme", admin, code="device.registered")[-1]
    later = entries(server, "acme", admin, code="device.registered", **{"from": first["time"]})
    assert len(later) == 7 and not entries(server, "acme", admin, to="2020-01-01T00:00:00Z")


def test_no_secret_is_in_it(server, admin):
    device = server.register("acme", "secretive")
    made = server.admin("token", "create", "--tenant", "acme", "--role", "viewer")
    wait_for(lambda: any(entry["code"] == "token.created" for entry in entries(server, "acme", admin)), "the entry")
    bundle = server.get("/tenants/acme/audit/export", admin).text
    for secret in (device.token, made["token"], admin):
        assert secret not in bundle and secret.rpartition("_")[2] not in bundle


@pytest.fixture(scope="module")
def bundle(server, admin, tmp_path_factory):
    file = tmp_path_factory.mktemp("bundle") / "acme.audit"
    server.admin("audit", "export", file, "--tenant", "acme")
    return file


def test_an_exported_bundle_verifies_offline(server, bundle):
    status, reports = verify(bundle)
    [report] = reports.values()
    assert status == 0 and report["intact"] and report["entries"] == report["size"] > 10
    text = run(BINARY, "verify", "audit", bundle).stdout
    assert text.startswith(b"ok")


@pytest.mark.parametrize("mutation", ["edit", "delete", "reorder", "truncate", "cut off", "foreign entry"])
def test_a_changed_bundle_is_found_out_and_the_first_bad_entry_named(server, bundle, tmp_path, mutation):
    lines = bundle.read_text().splitlines()
    places = [number for number, line in enumerate(lines) if '"entry":' in line]
    spot = places[5]
    if mutation == "edit":
        lines[spot] = lines[spot].replace('"outcome":"success"', '"outcome":"failure"', 1)
    elif mutation == "delete":
        del lines[spot]
    elif mutation == "reorder":
        first, second = json.loads(lines[spot]), json.loads(lines[spot + 1])
        first["index"], second["index"] = second["index"], first["index"]
        lines[spot : spot + 2] = [json.dumps(second), json.dumps(first)]
    elif mutation == "truncate":
        del lines[places[-3] : places[-1] + 1]
    elif mutation == "cut off":
        lines = lines[:-1]
    elif mutation == "foreign entry":
        lines.insert(spot, lines[spot].replace('"success"', '"denied"', 1))
    changed = tmp_path / "changed.audit"
    changed.write_text("\n".join(lines) + "\n")
    assert changed.read_text() != bundle.read_text()
    status, reports = verify(changed)
    [report] = reports.values()
    assert status == 1 and not report["intact"] and report["damages"], report
    if mutation in ("edit", "delete", "reorder"):
        assert report["damages"][0]["index"] == 5 and mutation in report["damages"][0]["kind"], report["damages"]
    assert b"DAMAGED" in run(BINARY, "verify", "audit", changed, check=False).stdout


def test_what_is_no_bundle_is_said_to_be_none(tmp_path):
    (tmp_path / "x").write_text("hello\n")
    done = run(BINARY, "verify", "audit", tmp_path / "x", check=False)
    assert done.returncode == 2 and b"bundle" in done.stderr
    done = run(BINARY, "verify", "audit", "--data", tmp_path, check=False)
    assert done.returncode == 2 and b"tidegate.db" in done.stderr


# What is done to the database behind the server's back


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A stopped server's directory now and at an earlier time, and that time's bundle."""
    folder = tmp_path_factory.mktemp("history")
    server = Server(folder)
    try:
        server.tenant("acme")
        admin = server.token("acme", "admin")

        def work(name):
            for number in range(10):
                server.post("/tenants/acme/devices", admin, json={"name": f"{name}-{number}"})
            server.admin("audit", "export", folder / f"{name}.audit", "--tenant", "acme")

        work("early")
        assert server.stop() == 0
        shutil.copytree(server.data, folder / "earlier", ignore=shutil.ignore_patterns("*.sock"))
        server.start()
        status, reports = verify("--data", server.data)
        assert status == 0 and all(report["intact"] for report in reports.values()), "it verifies while the server runs"
        work("late")
    finally:
        assert server.stop() == 0
    return folder


def copied(history, tmp_path):
    return shutil.copytree(history / "data", tmp_path / "data", ignore=shutil.ignore_patterns("*.sock"))


def changed(data, script):
    """Runs SQL on the database; `:log` is the busiest log that is not the platform's."""
    with sqlite3.connect(data / "tidegate.db") as database:
        [log] = database.execute(
            "SELECT tenant FROM audit_entry WHERE hex(tenant) NOT LIKE '0000%' GROUP BY tenant ORDER BY count(*) DESC LIMIT 1").fetchone()
        for statement in script.split(";"):
            assert database.execute(statement, {"log": log} if ":log" in statement else {}).rowcount != 0, statement
    database.close()
    return log.hex()


def test_the_untouched_history_verifies(history, tmp_path):
    status, reports = verify("--data", copied(history, tmp_path))
    assert status == 0 and len(reports) == 2, reports
    assert all(report["intact"] and report["pending"] == 0 and report["signed"] == report["size"] for report in reports.values())


OF_LOG = "tenant = :log AND position"


@pytest.mark.parametrize(
    ("what", "script", "kinds", "index"),
    [
        ("a code is edited", f"UPDATE audit_entry SET code = 'device.updated' WHERE {OF_LOG} = 4", {"edited"}, 4),
        ("an outcome is edited", f"UPDATE audit_entry SET outcome = 'denied' WHERE {OF_LOG} = 4", {"edited"}, 4),
        ("an actor is edited", f"UPDATE audit_entry SET actor_id = 'somebody' WHERE {OF_LOG} = 4", {"edited"}, 4),
        ("a time is edited", f"UPDATE audit_entry SET time = time + 1 WHERE {OF_LOG} = 4", {"edited"}, 4),
        ("an object is edited", f"UPDATE audit_entry SET object_id = 'x' WHERE {OF_LOG} = 4", {"edited"}, 4),
        ("a sealed part is edited", f"UPDATE audit_entry SET sealed = zeroblob(40) WHERE {OF_LOG} = 4", {"edited"}, 4),
        ("an entry is deleted", f"DELETE FROM audit_entry WHERE {OF_LOG} = 4", {"deleted"}, 4),
        ("an entry is deleted and the rest moved up",
         f"DELETE FROM audit_entry WHERE {OF_LOG} = 4;"
         f"UPDATE audit_entry SET position = -position WHERE {OF_LOG} > 4;"
         f"UPDATE audit_entry SET position = -position - 1 WHERE {OF_LOG} < 0", {"deleted"}, 4),
        ("two entries are swapped",
         f"UPDATE audit_entry SET position = -1 WHERE {OF_LOG} = 4;"
         f"UPDATE audit_entry SET position = 4 WHERE {OF_LOG} = 7;"
         f"UPDATE audit_entry SET position = 7 WHERE {OF_LOG} = -1", {"reordered"}, 4),
        ("an entry is added at the end",
         "INSERT INTO audit_entry SELECT tenant, (SELECT max(position) + 1 FROM audit_entry WHERE tenant = :log), leaf, time, id, code,"
         " outcome, actor_kind, actor_id, actor_credential, actor_home, object_kind, object_id, domain, sealed"
         f" FROM audit_entry WHERE {OF_LOG} = 4", {"added"}, None),
        ("the newest entries are deleted",
         f"DELETE FROM audit_entry WHERE {OF_LOG} >= (SELECT size - 3 FROM audit_head WHERE tenant = :log)", {"deleted", "truncated"}, None),
        ("the newest entries are deleted and the head told so",
         f"DELETE FROM audit_entry WHERE {OF_LOG} >= (SELECT size - 3 FROM audit_head WHERE tenant = :log);"
         "UPDATE audit_head SET size = size - 3, signed_size = 0 WHERE tenant = :log", {"deleted", "truncated", "rolledBack", "treeEdited"}, None),
        ("the whole log is deleted",
         "DELETE FROM audit_entry WHERE tenant = :log; DELETE FROM audit_tile WHERE tenant = :log;"
         "DELETE FROM audit_checkpoint WHERE tenant = :log; DELETE FROM audit_head WHERE tenant = :log;"
         "DELETE FROM audit_signer WHERE tenant = :log", {"truncated", "rolledBack", "deleted"}, None),
        ("a checkpoint is forged", "UPDATE audit_checkpoint SET note = replace(note, '— ', '— x') WHERE tenant = :log", {"forgedCheckpoint"}, None),
        ("stored hashes are edited", "UPDATE audit_tile SET hashes = zeroblob(length(hashes)) WHERE tenant = :log AND level = 0", {"treeEdited"}, None),
    ],
)
def test_a_changed_database_is_found_out_and_the_first_bad_entry_named(history, tmp_path, what, script, kinds, index):
    data = copied(history, tmp_path)
    log = changed(data, script)
    status, reports = verify("--data", data)
    damages = reports[log]["damages"]
    assert status == 1 and not reports[log]["intact"], reports
    assert damages[0]["kind"] in kinds, damages
    if index is not None:
        assert damages[0]["index"] == index, damages
        line = f"entry {index}".encode()
        assert line in run(BINARY, "verify", "audit", "--data", data, check=False).stdout
    others = [report for tenant, report in reports.items() if tenant != log]
    assert all(report["intact"] for report in others), "and nothing else is blamed"


def put_back(history, data, *names):
    for name in names:
        for suffix in ("", "-wal", "-shm"):
            (data / f"{name}{suffix}").unlink(missing_ok=True)
            if (history / "earlier" / f"{name}{suffix}").exists():
                shutil.copy(history / "earlier" / f"{name}{suffix}", data / f"{name}{suffix}")


def test_a_database_that_was_put_back_is_found_out_by_the_checkpoints_beside_it(history, tmp_path):
    data = copied(history, tmp_path)
    put_back(history, data, "tidegate.db")
    status, reports = verify("--data", data)
    kinds = {damage["kind"] for report in reports.values() for damage in report["damages"]}
    assert status == 1 and kinds & {"rolledBack", "truncated"}, reports


def test_a_bundle_that_was_put_back_is_found_out_by_a_later_checkpoint(history, tmp_path):
    assert verify(history / "early.audit")[0] == 0, "alone it says nothing wrong"
    notes = [json.loads(line)["checkpoint"] for line in (history / "late.audit").read_text().splitlines() if '"checkpoint":' in line]
    (tmp_path / "known.txt").write_text(notes[-1])
    status, reports = verify(history / "early.audit", "--known", tmp_path / "known.txt")
    [report] = reports.values()
    assert status == 1 and {"rolledBack", "truncated"} & {damage["kind"] for damage in report["damages"]}, report
    assert verify(history / "late.audit", "--known", tmp_path / "known.txt")[0] == 0
