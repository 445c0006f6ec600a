"""Who is let in by certificate, on HTTPS and MQTT, and how fast an end of access takes effect."""

import base64
import itertools
import ssl
import subprocess
import threading
import time

import paho.mqtt.client as mqtt
import pytest
import requests

from clients import Paho, RawTLS, curl, send
from tidegate import run, wait_for

NAMES = itertools.count(1)
READING = b'{"power":1}'


class Credential:
    """A certificate and key that stand in for a device's own."""

    def __init__(self, server, certificate, key):
        self.server, self.certificate, self.key = server, certificate, key
        self.tenant = "acme"


@pytest.fixture(scope="module")
def server(sqlite_server):
    sqlite_server.tenant("acme")
    sqlite_server.tenant("rival")
    return sqlite_server


@pytest.fixture
def device(server):
    return server.enrolled("acme", f"meter-{next(NAMES)}")


@pytest.fixture(scope="module")
def forged(server, tmp_path_factory):
    """Certificates that must not open anything, by what is wrong with them."""
    folder = tmp_path_factory.mktemp("forged")
    honest = server.enrolled("acme", "honest")

    def key(name):
        run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / f"{name}.key")
        return folder / f"{name}.key"

    def sign(name, subject, *extensions, issuer=None):
        """A certificate with these extensions, self-signed or by the CA called `issuer`."""
        made = key(name)
        by = ["-CA", folder / f"{issuer}.pem", "-CAkey", folder / f"{issuer}.key"] if issuer else []
        added = itertools.chain.from_iterable(("-addext", extension) for extension in extensions)
        run(
            "openssl", "req", "-x509", "-new", "-key", made, "-subj", subject, "-days", "30", *by, *added,
            "-out", folder / f"{name}.pem")
        return Credential(server, folder / f"{name}.pem", made)

    names = [
        f"subjectAltName=URI:tidegate://acme.localhost/device/{honest.id}", "extendedKeyUsage=clientAuth",
        "keyUsage=critical,digitalSignature", "basicConstraints=critical,CA:FALSE",
    ]
    issuing = "/DC=localhost/DC=acme/O=Tidegate/CN=Issuing CA"
    sign("wrong-ca", issuing, "basicConstraints=critical,CA:TRUE")
    # What a thief of the server's own key files could make; each tenant's issuing key is sealed in the database.
    platform = (server.data / "keys" / "intermediate-ca.pem").read_bytes()
    for ending in ("pem", "key"):
        (folder / f"platform.{ending}").write_bytes(platform)
    sign("fake-ca", issuing, "basicConstraints=critical,CA:TRUE,pathlen:0", issuer="platform")
    under_fake = sign("under-fake", f"/CN={honest.id}", *names, issuer="fake-ca")
    with open(under_fake.certificate, "a") as chain:
        chain.write((folder / "fake-ca.pem").read_text())
    return {
        "of the platform's CA instead of the tenant's": sign("direct", f"/CN={honest.id}", *names, issuer="platform"),
        "of a CA that the platform's key made but nobody registered": under_fake,
        "of another CA with the same name": sign("other", f"/CN={honest.id}", *names, issuer="wrong-ca"),
        "self-signed": sign("self", f"/CN={honest.id}", *names),
        "of the device signed by the device": device_signed(folder, honest, server, key, names),
    }


def device_signed(folder, honest, server, key, names):
    """A certificate that a device's own certificate, which is no CA, has signed; with the chain."""
    made = key("child")
    extensions = itertools.chain.from_iterable(("-addext", name) for name in names)
    run(
        "openssl", "req", "-x509", "-new", "-key", made, "-subj", "/CN=child", "-days", "5", "-CA", honest.certificate,
        "-CAkey", honest.key, *extensions, "-out", folder / "child.pem")
    with open(folder / "child.pem", "a") as chain:
        chain.write(honest.certificate.read_text())
    return Credential(server, folder / "child.pem", made)


def refused_over_mqtt(credential, version=None):
    """Whether TLS or MQTT turn the credential away before it can publish."""
    try:
        with RawTLS(credential.server, credential, version=version) as raw:
            raw.send(b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03raw")
            return raw.receive(4) != b"\x20\x02\x00\x00"
    except (ssl.SSLError, ConnectionError):
        return True


FORGERIES = {
    "of another CA with the same name": "unknownIssuer",
    "self-signed": "selfSigned",
    "of the device signed by the device": "unknownIssuer",
    "of the platform's CA instead of the tenant's": "unknownIssuer",
    "of a CA that the platform's key made but nobody registered": "unknownIssuer",
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_certificate_opens_nothing(server, forged, what):
    refused = lambda: server.metric("tidegate_certificates_refused_total", reason=FORGERIES[what])
    before = refused()
    assert send(forged[what], READING).status == 0
    assert refused_over_mqtt(forged[what])
    assert curl(server, f"{server.device_url}/acme/.well-known/est/cacerts", device=forged[what]).status == 0
    assert refused() == before + 3


def test_the_servers_own_certificates_open_nothing(server):
    keys = [path for path in (server.data / "keys").rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    pairs = [(path, path) for path in keys if b"BEGIN CERTIFICATE" in path.read_bytes()]
    assert pairs, "key files hold their chains"
    for certificate, key in pairs:
        credential = Credential(server, certificate, key)
        assert send(credential, READING).status == 0, certificate.name
        assert refused_over_mqtt(credential), certificate.name


def test_a_certificate_counts_in_its_own_tenant_only(server, device):
    rival = server.enrolled("rival", device.name)
    assert send(device, READING).status == 204 and send(rival, READING).status == 204
    assert send(rival, READING, tenant="acme").status == 404
    assert send(device, READING, tenant="rival").status == 404
    assert send(device, READING, tenant="nobody").status == 404, "and an absent tenant looks the same"
    token = server.token("rival", "viewer")
    assert server.get(f"/tenants/acme/devices/{device.name}", token).status_code == 404


def test_a_certificate_may_come_without_or_with_its_chain(server, device, tmp_path):
    assert send(device, READING).status == 204
    chain = base64.b64decode(curl(server, f"{server.device_url}/acme/.well-known/est/cacerts").body)
    whole = tmp_path / "whole.pem"
    whole.write_bytes(device.certificate.read_bytes() + run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=chain).stdout)
    assert send(Credential(server, whole, device.key), READING).status == 204


def test_a_certificate_without_its_key_is_worth_nothing(server, device):
    other = server.enrolled("acme", f"{device.name}-other")
    assert send(Credential(server, device.certificate, other.key), READING).status == 0


def act(server, verb, device):
    server.admin("device", verb, device.name, "--tenant", "acme")


@pytest.mark.parametrize("verb", ["revoke", "suspend", "delete"])
def test_an_end_of_access_closes_live_sessions_within_a_second_and_refuses_new_ones(server, device, verb):
    token = server.token("acme", "operator")
    path = f"/tenants/acme/devices/{device.name}"
    with RawTLS(server, device, port="device", alpn=["http/1.1"]) as https, Paho(server, device, version=mqtt.MQTTv5) as client:
        client.connected()
        https.send(b"POST /acme/telemetry HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + READING)
        assert https.receive(12) == b"HTTP/1.1 204"
        if verb == "delete":
            answer = requests.delete(
                f"{server.people_url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, verify=str(server.ca), timeout=60)
        else:
            answer = server.post(f"{path}/{verb}", token, json={"reason": "stolen"})
        assert answer.status_code in (200, 204), answer.text
        begun = time.monotonic()
        client.ended(seconds=5)
        https.rest()
        assert time.monotonic() - begun < 5
    assert send(device, READING).status in (0, 401)
    assert refused_over_mqtt(device)
    renewal = curl(
        server, f"{server.device_url}/acme/.well-known/est/simplereenroll", device=device,
        input=base64.b64encode(device.make_request().read_bytes()))
    assert renewal.status in (0, 401, 403)


def test_a_resumed_device_is_let_in_again_and_a_revoked_one_never(server, device):
    act(server, "suspend", device)
    assert send(device, READING).status in (0, 401)
    act(server, "resume", device)
    assert send(device, READING).status == 204
    act(server, "revoke", device)
    assert send(device, READING).status in (0, 401)
    assert server.admin("device", "resume", device.name, "--tenant", "acme", check=False).returncode == 1


def test_a_suspended_tenant_takes_its_devices_along(server):
    server.tenant("season")
    device = server.enrolled("season", "meter-1")
    with Paho(server, device) as client:
        client.connected()
        server.admin("tenant", "suspend", "season")
        client.ended(seconds=5)
    assert send(device, READING).status in (0, 401)
    server.admin("tenant", "resume", "season")
    assert send(device, READING).status == 204


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("listener", ["device", "mqtt"])
def test_a_resumed_tls_session_is_checked_again_after_a_revocation(server, device, tmp_path, version, listener):
    session = tmp_path / "session.pem"

    def s_client(*arguments):
        """One request or CONNECT through openssl s_client; what it printed, and the server's answer in it."""
        if listener == "device":
            text = (
                b"POST /acme/telemetry HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                b"Content-Length: 11\r\n\r\n" + READING)
        else:
            text = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03raw\xc0\x00\xe0\x00"
        process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"localhost:{server.ports[listener]}", version, "-CAfile", str(server.ca),
             "-cert", str(device.certificate), "-key", str(device.key), "-ign_eof", "-nocommands", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        killer = threading.Timer(60, process.kill)
        killer.start()
        output, _ = process.communicate(text)
        killer.cancel()
        return output

    def accepted(output):
        return (b"HTTP/1.1 204" if listener == "device" else b"\x20\x02\x00\x00") in output

    first = s_client("-sess_out", str(session))
    assert accepted(first) and session.exists(), first.decode(errors="replace")[-1500:]
    resumed = server.metric("tidegate_handshakes_resumed_total")
    again = s_client("-sess_in", str(session), "-sess_out", str(session))
    assert accepted(again) and b"Reused, TLS" in again, again.decode(errors="replace")[-1500:]
    assert server.metric("tidegate_handshakes_resumed_total") == resumed + 1
    act(server, "revoke", device)
    last = s_client("-sess_in", str(session))
    assert not accepted(last), last.decode(errors="replace")[-1500:]


def test_refusals_are_in_the_audit_by_reason(server, forged):
    for what in FORGERIES:
        send(forged[what], READING)

    def reasons():
        entries = server.admin("audit", "list", "--code", "access.refused")["items"]
        assert all(entry["outcome"] == "denied" and entry["address"] == "127.0.0.1" for entry in entries)
        return {entry["objectId"] for entry in entries}

    expected = {f"certificate.{reason}" for reason in FORGERIES.values()}
    wait_for(lambda: expected <= reasons(), "the platform's log says so")
