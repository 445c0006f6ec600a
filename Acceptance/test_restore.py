"""Backups checked without a server, and restorations that the audit logs declare."""

import json
import os
import shutil
import signal
import sqlite3

import pytest
import requests

from clients import send
from conftest import drop_postgres, fresh_postgres
from tidegate import BINARY, Server, run

THEN = 1_700_000_000_000


def backup(server, *arguments):
    """Makes a backup; returns its two files and the recovery key's."""
    made = json.loads(run(BINARY, "backup", "create", "--data", server.data, "--json", *arguments).stdout)
    return made["archive"], made["keys"], server.data / "backup" / "recovery.key"


def report(device, *points):
    lines = "\n".join(json.dumps({"ts": THEN + time, "values": {"power": time}}) for time in points)
    assert send(device, lines.encode(), "application/x-ndjson").status == 204


def verify(data, *arguments, database="sqlite"):
    """Verifies all audit logs; returns the exit code and the reports by tenant."""
    env = {**os.environ, "TIDEGATE_DATABASE": database}
    done = run(BINARY, "verify", "audit", "--data", data, "--json", *arguments, check=False, env=env)
    reports = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert reports, done.stderr
    return done.returncode, {report["tenant"]: report for report in reports}


# A backup is checked where it lies


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A backup of a server with telemetry in chunks and in the log."""
    folder = tmp_path_factory.mktemp("kept")
    server = Server(folder)
    try:
        server.tenant("acme")
        device = server.enrolled("acme", "meter-1")
        report(device, *range(0, 7_200_000, 5000))
        archive, keys, key = backup(server)
        report(device, 8_000_000)
        other, other_keys, _ = backup(server)
    finally:
        assert server.stop() == 0
    return {"archive": archive, "keys": keys, "key": key, "other": other, "other_keys": other_keys, "data": server.data}


def check(archive, keys, key, *arguments):
    done = run(BINARY, "verify", "backup", archive, "--keys", keys, "--recovery-key", key, *arguments, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_a_sound_backup_is_said_to_be_sound_and_leaves_nothing_behind(kept, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    status, said = check(kept["archive"], kept["keys"], kept["key"], "--scratch", scratch)
    assert status == 0 and said.startswith("sound: tidegate-") and "2 audit logs" in said and points(said) == 1440, said
    assert list(scratch.iterdir()) == []
    status, said = check(kept["archive"], kept["keys"], kept["key"], "--json")
    facts = json.loads(said)
    assert status == 0 and facts["sound"] and facts["points"] == 1440 and facts["logs"] == 2 and facts["bytes"] > 0
    status, said = check(kept["archive"], kept["keys"], kept["key"], "--archive")
    assert status == 0 and "whole" in said


def points(said):
    """How many points were decoded."""
    return int(said.rsplit(" points", 1)[0].rsplit(" ", 1)[1])


HEADER, FRAME = 34, 262_144 + 16


@pytest.mark.parametrize("place", ["magic", "identifier", "first", "tag", "middle", "last", "end"])
@pytest.mark.parametrize("how", [[], ["--archive"]])
def test_a_changed_byte_in_any_region_of_the_archive_is_named(kept, tmp_path, place, how):
    data = bytearray(open(kept["archive"], "rb").read())
    first_end = min(HEADER + FRAME, len(data))
    offset = {
        "magic": 2, "identifier": 20, "first": HEADER + 3, "tag": first_end - 1, "middle": len(data) // 2,
        "last": len(data) - 20, "end": len(data) - 1,
    }[place]
    data[offset] ^= 0x20
    damaged = tmp_path / "damaged.backup"
    damaged.write_bytes(data)
    status, said = check(damaged, kept["keys"], kept["key"], *how)
    assert status == (2 if place == "identifier" else 1), said
    wanted = {"magic": "damaged at its beginning", "identifier": "another backup"}.get(place, "not what was written")
    assert wanted in said or "cut off" in said, said


@pytest.mark.parametrize("place", ["magic", "archive", "recovery", "encapsulated", "content", "tag"])
def test_a_changed_byte_in_any_region_of_the_key_bundle_is_named(kept, tmp_path, place):
    data = bytearray(open(kept["keys"], "rb").read())
    offset = {"magic": 2, "archive": 18, "recovery": 34, "encapsulated": 500, "content": 1200, "tag": len(data) - 1}[place]
    data[offset] ^= 0x20
    damaged = tmp_path / "damaged.keys"
    damaged.write_bytes(data)
    status, said = check(kept["archive"], damaged, kept["key"], "--archive")
    assert status == (2 if place == "recovery" else 1) and "damaged.keys" in said or "recovery key" in said, said


@pytest.mark.parametrize("cut", [0, 10, HEADER, HEADER + 100, "half", "last"])
def test_a_cut_archive_is_named(kept, tmp_path, cut):
    data = open(kept["archive"], "rb").read()
    length = {"half": len(data) // 2, "last": len(data) - 1}.get(cut, cut)
    (tmp_path / "cut.backup").write_bytes(data[:length])
    status, said = check(tmp_path / "cut.backup", kept["keys"], kept["key"])
    assert status == 1 and "cut.backup" in said, said


def test_swapped_and_missing_keys_are_told_from_damage(kept, tmp_path):
    status, said = check(kept["archive"], kept["other_keys"], kept["key"])
    assert status == 2 and "another backup" in said, said
    status, said = check(kept["archive"], kept["keys"], tmp_path / "none")
    assert status == 2 and "recovery key" in said, said
    status, said = check(tmp_path / "none.backup", kept["keys"], kept["key"])
    assert status == 2 and "none.backup" in said, said


@pytest.mark.parametrize("what", ["audit", "chunk"])
def test_what_was_damaged_before_the_backup_was_made_is_named(kept, tmp_path, what):
    data = tmp_path / "data"
    shutil.copytree(kept["data"], data, ignore=shutil.ignore_patterns("admin.sock", "backups"))
    if what == "audit":
        with sqlite3.connect(data / "tidegate.db") as database:
            database.execute("UPDATE audit_entry SET object_id = 'forged' WHERE position = 2")
        database.close()
    else:
        days = [path for path in (data / "telemetry").iterdir() if path.suffix == ".db"]
        with sqlite3.connect(days[0]) as database:
            [(row, body)] = database.execute("SELECT rowid, body FROM chunk LIMIT 1").fetchall()
            body = body[:-3] + bytes([body[-3] ^ 1]) + body[-2:]
            database.execute("UPDATE chunk SET body = ? WHERE rowid = ?", (body, row))
        database.close()
    made = json.loads(run(BINARY, "backup", "create", "--data", data, "--json").stdout)
    status, said = check(made["archive"], made["keys"], kept["key"])
    assert status == 1 and "NOT SOUND" in said and ("audit log" if what == "audit" else "telemetry: ") in said, said


# A restoration is declared


@pytest.mark.parametrize("target", ["sqlite"] + (["postgres"] if os.environ.get("TIDEGATE_TEST_POSTGRES_URL") else []))
def test_a_restoration_after_a_crash_is_declared_and_a_silent_rollback_is_found(own_server, tmp_path, target):
    server = own_server
    server.tenant("acme")
    device, viewer = server.enrolled("acme", "meter-1"), server.token("acme", "viewer")
    report(device, *range(0, 100_000, 1000))
    archive, keys, key = backup(server)
    # The server goes on: what it does now is lost with it.
    report(device, 200_000)
    for number in range(5):
        server.register("acme", f"late-{number}")
    assert server.stop() == 0
    server.start()
    server.stop(signal.SIGKILL)
    lost = tmp_path / "lost"
    shutil.copytree(server.data / "audit", lost)

    place = tmp_path / "restored"
    place.mkdir()
    database, more = "sqlite", []
    if target == "postgres":
        database = fresh_postgres("acceptance_restoration")
        more = ["--database", database]
    try:
        done = run(
            BINARY, "backup", "restore", archive, "--keys", keys, "--recovery-key", key, "--data", place / "data", "--known", lost, *more)
        said = done.stdout.decode()
        assert "rolled back to" in said and "are lost" in said and "declared" in said, said

        for known in ([], ["--known", lost], ["--known", lost / "checkpoints.log"]):
            status, reports = verify(place / "data", *known, database=database)
            assert status == 0, reports
            for found in reports.values():
                [restored] = found["restorations"]
                assert restored["backup"].startswith("tidegate-20") and restored["time"] and restored["known"] > restored["kept"] > 0

        restored = Server(place, database)
        try:
            assert len(restored.points("acme", "meter-1", "power", viewer)["power"]) == 100
            entries = restored.admin("audit", "list", "--tenant", "acme", "--code", "backup.restored")["items"]
            assert len(entries) == 1 and entries[0]["objectId"] in said + archive
            assert len(restored.admin("audit", "list", "--code", "backup.restored")["items"]) == 1
            device.server = restored
            report(device, 300_000)
            restored.register("acme", "new-1")
        finally:
            assert restored.stop() == 0
        status, reports = verify(place / "data", "--known", lost, database=database)
        assert status == 0 and all(len(found["restorations"]) == 1 for found in reports.values())
        text = run(BINARY, "verify", "audit", "--data", place / "data", env={**os.environ, "TIDEGATE_DATABASE": database}).stdout
        assert b"rolled back to" in text and b"declared and signed" in text
        if target == "sqlite":
            silently_put_back(place / "data", tmp_path)
    finally:
        if target == "postgres":
            drop_postgres("acceptance_restoration")


def silently_put_back(data, tmp_path):
    """An older database in place of a newer one, without the command that declares it, is found as before."""
    database = data / "tidegate.db"
    assert all(path.stat().st_size == 0 for path in data.glob("tidegate.db-wal")), "a stopped server's database is in one file"
    shutil.copy(database, tmp_path / "older.db")
    server = Server(data.parent)
    server.register("acme", "new-2")
    assert server.stop() == 0
    assert verify(data)[0] == 0
    for path in data.glob("tidegate.db*"):
        path.unlink()
    shutil.copy(tmp_path / "older.db", database)
    status, reports = verify(data)
    kinds = {damage["kind"] for found in reports.values() for damage in found["damages"]}
    assert status == 1 and kinds == {"rolledBack"}, reports
    # An entry that claims a restoration changes nothing, for it carries no signature of the old key.
    server = Server(data.parent)
    assert server.stop() == 0
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT * FROM audit_entry WHERE code = 'backup.restored'")
        columns = [column[0] for column in rows.description]
        for row in rows.fetchall():
            entry = dict(zip(columns, row))
            entry["time"] += 10_000_000
            entry["id"] = os.urandom(16)
            wanted = [name for name in columns if name not in ("position", "leaf")]
            connection.execute(
                f"INSERT INTO audit_pending ({','.join(wanted)}) VALUES ({','.join('?' * len(wanted))})", [entry[name] for name in wanted])
    connection.close()
    server = Server(data.parent)
    assert server.stop() == 0
    status, reports = verify(data)
    kinds = {damage["kind"] for found in reports.values() for damage in found["damages"]}
    assert status == 1 and "rolledBack" in kinds, reports


def test_a_restoration_into_postgresql_verifies_its_telemetry(own_server, tmp_path):
    if not os.environ.get("TIDEGATE_TEST_POSTGRES_URL"):
        pytest.skip("no PostgreSQL")
    server = own_server
    server.tenant("acme")
    device, viewer = server.enrolled("acme", "meter-1"), server.token("acme", "viewer")
    report(device, *range(0, 7_200_000, 10_000))
    archive, _, key = backup(server)
    server.stop(signal.SIGKILL)
    place = tmp_path / "restored"
    place.mkdir()
    database = fresh_postgres("acceptance_restored_telemetry")
    try:
        run(BINARY, "backup", "restore", archive, "--recovery-key", key, "--data", place / "data", "--database", database)
        restored = Server(place, database)
        try:
            before = server.data
            assert [value for _, value in restored.points("acme", "meter-1", "power", viewer)["power"]] == list(range(0, 7_200_000, 10_000))
            made = json.loads(run(BINARY, "backup", "create", "--data", restored.data, "--json").stdout)
            status, said = check(made["archive"], made["keys"], restored.data / "backup" / "recovery.key")
            assert status == 0 and points(said) == 720, said
        finally:
            assert restored.stop() == 0
    finally:
        drop_postgres("acceptance_restored_telemetry")


def test_key_bundles_go_where_the_setting_says(tmp_path):
    server = Server(tmp_path, environment={"TIDEGATE_BACKUP_KEYS": str(tmp_path / "vault")})
    try:
        archive, keys, key = backup(server)
        assert os.path.dirname(keys) == str(tmp_path / "vault") and os.path.dirname(archive) == str(server.data / "backups")
        assert check(archive, keys, key)[0] == 0
        env = {**os.environ, "TIDEGATE_BACKUP_KEYS": str(tmp_path / "vault")}
        assert b"sound" in run(BINARY, "backup", "drill", "--data", server.data, env=env).stdout
    finally:
        assert server.stop() == 0
    made = json.loads(run(BINARY, "backup", "create", "--data", server.data, "--json", env=env).stdout)
    assert os.path.dirname(made["keys"]) == str(tmp_path / "vault"), "a stopped server's as well"


# What people and programs held


def test_sessions_and_links_do_not_come_back_with_a_backup(tmp_path):
    """Any of them may have ended after the backup was made, which the restored server can not know."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    server = Server(tmp_path / "first")
    try:
        server.tenant("acme")
        token = server.token("acme", "owner")
        links = [
            server.admin("user", "invite", f"{name}@example.com", "--tenant", "acme", "--role", "viewer")["link"]["url"]
            for name in ("ann", "bob")]
        answer = requests.post(
            f"{server.people_url}/invitation", verify=str(server.ca), timeout=30, allow_redirects=False,
            headers={"Origin": server.people_url},
            data={"link": links[0].split("=")[1], "name": "Ann", "password": "harbour lantern quietly 7 geese"})
        cookie = answer.headers["set-cookie"].split(";")[0]
        assert signed_in(server, cookie)
        archive, keys, key = backup(server)
    finally:
        server.stop()
    data = tmp_path / "second" / "data"
    done = run(
        BINARY, "backup", "restore", archive, "--keys", keys, "--recovery-key", key, "--data", data)
    assert b"people sign in anew" in done.stdout + done.stderr
    restored = Server(tmp_path / "second")
    try:
        assert not signed_in(restored, cookie)
        page = requests.get(
            restored.people_url + "/invitation?link=" + links[1].split("=")[1], verify=str(restored.ca), timeout=30)
        assert page.status_code == 404
        # Programs with keys of their own go on, and people sign in with their passwords.
        assert restored.get("/tenants/acme", token).status_code == 200
        [entry] = [
            entry for entry in restored.get("/tenants/acme/audit?limit=100", token).json()["items"]
            if entry["code"] == "backup.restored"]
        assert entry["details"]["ended"] == 1
        answer = requests.post(
            f"{restored.people_url}/sign-in", verify=str(restored.ca), timeout=30, allow_redirects=False,
            headers={"Origin": restored.people_url},
            data={"address": "ann@example.com", "password": "harbour lantern quietly 7 geese"})
        assert answer.status_code == 303
    finally:
        assert restored.stop() == 0


def signed_in(server, cookie):
    answer = requests.get(
        f"{server.people_url}/t/acme", headers={"Cookie": cookie}, verify=str(server.ca), timeout=30, allow_redirects=False)
    return answer.status_code == 200
