"""How fast the reports of 100,000 devices are, of which half have failed, on either engine.

    .venv/bin/python Acceptance/measure_reports.py sqlite
    Scripts/test-postgres .venv/bin/python Acceptance/measure_reports.py postgres

It starts a server of its own (TIDEGATE_BINARY, or the debug build), registers the devices in one call, writes failures
where the server keeps them, and asks for each page twenty times, as a browser does. The budget is 100 ms for 95 of 100.
"""

import contextlib
import gzip
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

import requests

from conftest import drop_postgres, fresh_postgres
from tidegate import Server

DEVICES = int(os.environ.get("DEVICES", 100_000))
ROUNDS = 20
ADDRESS, PASSWORD = "ada@example.com", "harbour lantern quietly 7 geese"
PAGES = {
    "failures, the latest first": "",
    "failures, the most first": "?sort=total",
    "failures of a state that all have": "?state=waiting",
    "failures of a state that nobody has": "?state=offline",
    "versions": "/versions",
    "the devices of a version": "/../devices?filter=component.system+%3D+%222.7%22",
    "the devices of a rare version": "/../devices?filter=component.build+%3D+%22b99999%22",
    "access review": "/access",
    "reports by mail": "/mails",
    "failures as CSV": "/failures.csv",
}


def main(engine):
    schema = "measure_reports"
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "password"
        file.write_text(PASSWORD)
        file.chmod(0o600)
        server = Server(folder, fresh_postgres(schema) if engine == "postgres" else "sqlite", {
            "TIDEGATE_ADMINISTRATOR_ADDRESS": ADDRESS, "TIDEGATE_ADMINISTRATOR_PASSWORDFILE": str(file),
            "TIDEGATE_ADMINISTRATOR_ORGANISATION": "Acme"})
        try:
            register(server)
            fail(server, engine, schema)
            measure(server, sign_in(server))
        finally:
            server.stop()
            if engine == "postgres":
                drop_postgres(schema)


def register(server):
    """A component with thirty versions, and one of which each hundredth device has its own."""
    lines = ["name,component.system,component.build"]
    lines += [f"meter-{n:06},2.{n % 30},{f'b{n}' if n % 100 == 99 else 'b0'}" for n in range(DEVICES)]
    begun = time.monotonic()
    requests.post(
        f"{server.people_url}/api/v1/tenants/acme/devices/bulk", data="\n".join(lines), timeout=900, verify=str(server.ca),
        headers={"Authorization": f"Bearer {server.token('acme', 'admin')}", "Content-Type": "text/csv"}).raise_for_status()
    print(f"{DEVICES} devices registered in {time.monotonic() - begun:.1f} s")


def fail(server, engine, schema):
    if engine == "sqlite":
        with contextlib.closing(sqlite3.connect(server.data / "tidegate.db", timeout=120)) as database, database:
            database.execute(
                """INSERT INTO device_failure SELECT tenant, id, n % 7, n % 5, n % 7 + n % 5, 1700000000000000 + n * 1000,
                'lost', 'the connection broke' FROM (SELECT tenant, id, row_number() OVER (ORDER BY name) n FROM device)
                WHERE n % 2 = 0""")
    else:
        tenant = server.admin("tenant", "show", "acme")["id"]
        subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", os.environ["TIDEGATE_TEST_POSTGRES_URL"], "-c",
             f"""SET search_path = {schema}; SELECT set_config('tidegate.tenant', '{tenant}', false);
             INSERT INTO device_failure SELECT tenant, id, n % 7, n % 5, n % 7 + n % 5, 1700000000000000 + n * 1000,
             'lost', 'the connection broke' FROM (SELECT tenant, id, row_number() OVER (ORDER BY name) n FROM device) d
             WHERE n % 2 = 0; ANALYZE device_failure"""], check=True, stdout=subprocess.DEVNULL)


def sign_in(server):
    session = requests.Session()
    session.verify, session.trust_env = str(server.ca), False
    session.headers["Origin"] = server.people_url
    answer = session.post(
        f"{server.people_url}/sign-in", data={"address": ADDRESS, "password": PASSWORD}, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return session


def measure(server, session):
    print(f"{'page':44} {'p50 ms':>8} {'p95 ms':>8} {'KB gzip':>8}")
    for name, path in PAGES.items():
        times = []
        for _ in range(2 if path.endswith(".csv") else ROUNDS):
            begun = time.monotonic()
            answer = session.get(f"{server.people_url}/t/acme/reports{path}".replace("/reports/..", ""), timeout=600)
            times.append((time.monotonic() - begun) * 1000)
            assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
        times.sort()
        packed = len(gzip.compress(answer.content)) / 1024
        print(f"{name:44} {times[len(times) // 2]:8.1f} {times[len(times) * 19 // 20 - 1]:8.1f} {packed:8.1f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite")
