"""What the measuring scripts share: a server on either engine with an administrator, and how long its answers take."""

import contextlib
import pathlib
import tempfile
import time

import requests

from conftest import server_on
from tidegate import Server

ADDRESS, PASSWORD = "ada@example.com", "harbour lantern quietly 7 geese"


@contextlib.contextmanager
def measured_server(engine="sqlite", organisation="Acme", environment=None) -> Server:
    """A server of its own, whose first administrator is configured; it ends with all that it has."""
    with tempfile.TemporaryDirectory() as folder:
        password = pathlib.Path(folder) / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        with server_on(engine, folder, "measuring", {
            "TIDEGATE_ADMINISTRATOR_ADDRESS": ADDRESS, "TIDEGATE_ADMINISTRATOR_PASSWORDFILE": str(password),
            "TIDEGATE_ADMINISTRATOR_ORGANISATION": organisation, **(environment or {})}) as server:
            yield server


def sign_in(server):
    """A session as a browser has it."""
    session = requests.Session()
    session.verify, session.trust_env = str(server.ca), False
    session.headers["Origin"] = server.people_url
    answer = session.post(
        f"{server.people_url}/sign-in", data={"address": ADDRESS, "password": PASSWORD}, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return session


def register(server, lines):
    """Registers the devices of a CSV list in one call and says how long it took."""
    begun = time.monotonic()
    answer = requests.post(
        f"{server.people_url}/api/v1/tenants/acme/devices/bulk", data="\n".join(lines), timeout=900, verify=str(server.ca),
        headers={"Authorization": f"Bearer {server.token('acme', 'admin')}", "Content-Type": "text/csv"})
    assert answer.ok, answer.text[:500]
    print(f"{len(lines) - 1:,} devices registered in {time.monotonic() - begun:.1f} s")


def timed(ask, rounds):
    """The milliseconds of each of so many answers, which must all be good, and the last one."""
    times = []
    for _ in range(rounds):
        begun = time.monotonic()
        answer = ask()
        times.append((time.monotonic() - begun) * 1000)
        assert answer.status_code == 200, (answer.url, answer.status_code, answer.text[:300])
    return times, answer


def at(times, percent):
    return sorted(times)[max(len(times) * percent // 100 - 1, 0)]
