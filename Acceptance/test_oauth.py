"""Programs at the authorization server, with clients that know nothing of it: Authlib, requests, curl."""
import base64
import datetime
import hashlib
import hmac
import json
import re
import subprocess
import time

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from tidegate import BINARY, Server, free_port, run


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A server that also listens for programs with certificates."""
    port = free_port()
    running = Server(tmp_path_factory.mktemp("server"), environment={"TIDEGATE_LISTENERS_PROGRAMS": f"127.0.0.1:{port}"})
    running.tenant("oauth")
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


def metadata(server):
    return requests.get(f"{server.people_url}/.well-known/oauth-authorization-server", verify=str(server.ca)).json()


def client(server, name, *arguments):
    return server.admin("client", "create", name, "--tenant", "oauth", *arguments)


def session(server, made, **more):
    found = OAuth2Session(made["clientId"], made.get("clientSecret"), **more)
    # Not the machine's certificates, which an environment variable may name.
    found.trust_env = False
    found.verify = str(server.ca)
    return found


def test_authlib_gets_and_uses_a_token_by_secret(programs):
    addresses = metadata(programs)
    made = client(programs, "exporter", "--flow", "itself", "--role", "viewer")
    for method in ("client_secret_basic", "client_secret_post"):
        oauth = session(programs, made, token_endpoint_auth_method=method, scope="device.read")
        token = oauth.fetch_token(addresses["token_endpoint"], grant_type="client_credentials")
        assert token["scope"] == "device.read" and token["token_type"] == "Bearer"
        devices = f"{programs.people_url}/api/v1/tenants/oauth/devices"
        assert oauth.get(devices).status_code == 200
        assert oauth.get(f"{programs.people_url}/api/v1/tenants/oauth/models").status_code == 404
        seen = oauth.introspect_token(addresses["introspection_endpoint"], token=token["access_token"]).json()
        assert seen["active"] and seen["client_id"] == made["clientId"]
        assert oauth.revoke_token(addresses["revocation_endpoint"], token=token["access_token"]).status_code == 200
        assert oauth.get(devices).status_code == 401
        seen = oauth.introspect_token(addresses["introspection_endpoint"], token=token["access_token"]).json()
        assert seen == {"active": False}


@pytest.mark.parametrize("algorithm, kind, size", [("ES256", "EC", "P-256"), ("RS256", "RSA", 2048), ("EdDSA", "OKP", "Ed25519")])
def test_authlib_gets_a_token_by_a_key_of_its_own(programs, tmp_path, algorithm, kind, size):
    key = JsonWebKey.generate_key(kind, size, {"kid": "k1"}, is_private=True)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [json.loads(key.as_json(is_private=False))]}))
    made = client(programs, f"signer-{algorithm}", "--flow", "itself", "--role", "viewer", "--method", "key", "--keys", keys)
    addresses = metadata(programs)
    pem = key.as_pem(is_private=True)
    oauth = session(programs, {"clientId": made["clientId"], "clientSecret": pem}, token_endpoint_auth_method="private_key_jwt")
    oauth.register_client_auth_method(PrivateKeyJWT(addresses["token_endpoint"], alg=algorithm, headers={"kid": "k1"}))
    token = oauth.fetch_token(addresses["token_endpoint"], grant_type="client_credentials")
    assert oauth.get(f"{programs.people_url}/api/v1/tenants/oauth/devices").status_code == 200 and token["expires_in"] in (3599, 3600)


def encoded(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header, claims, key):
    """A token with any header, which libraries would not all make, truly signed."""
    message = f"{encoded(header)}.{encoded(claims)}"
    private = serialization.load_pem_private_key(key.as_pem(is_private=True), None)
    r, s = decode_dss_signature(private.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{message}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_forged_assertions_are_refused(programs, tmp_path):
    key = JsonWebKey.generate_key("EC", "P-256", {"kid": "k1"}, is_private=True)
    other = JsonWebKey.generate_key("EC", "P-256", {"kid": "k1"}, is_private=True)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [json.loads(key.as_json(is_private=False))]}))
    made = client(programs, "forged", "--flow", "itself", "--role", "viewer", "--method", "key", "--keys", keys)
    endpoint = metadata(programs)["token_endpoint"]
    number = iter(range(100))

    def ask(header={}, claims={}, signer=key, text=None):
        all_claims = {
            "iss": made["clientId"], "sub": made["clientId"], "aud": endpoint, "exp": int(time.time()) + 60,
            "jti": f"j{next(number)}", **claims,
        }
        text = text or signed({"alg": "ES256", "kid": "k1", **header}, all_claims, signer)
        answer = requests.post(
            endpoint, verify=str(programs.ca),
            data={
                "grant_type": "client_credentials", "client_assertion": text,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            },
        )
        time.sleep(0.15)  # below the rate of refused credentials
        return answer.status_code, answer.json().get("error"), text

    good = ask()
    assert good[0] == 200
    refused = (401, "invalid_client")
    assert ask(text=good[2])[:2] == refused, "an assertion counts once"
    assert ask(signer=other)[:2] == refused
    assert ask(header={"kid": "k2"})[:2] == refused
    assert ask(header={"crit": ["exp"]})[:2] == refused
    assert ask(claims={"aud": "https://elsewhere.example/token"})[:2] == refused
    assert ask(claims={"exp": int(time.time()) - 120})[:2] == refused
    assert ask(claims={"sub": "somebody"})[:2] == refused
    parts = ask()[2].split(".")
    none = "eyJhbGciOiJub25lIn0"
    assert ask(text=f"{none}.{parts[1]}.")[:2] == refused
    # The public key as a shared secret.
    header = encoded({"alg": "HS256", "kid": "k1"})
    mac = hmac.new(key.as_pem(is_private=False), f"{header}.{parts[1]}".encode(), hashlib.sha256).digest()
    assert ask(text=f"{header}.{parts[1]}.{encoded(mac)}")[:2] == refused


def self_signed(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path, certificate.fingerprint(hashes.SHA256()).hex()


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_program_with_a_certificate_connects_where_it_is_asked_for_one(programs, tmp_path, version):
    own, fingerprint = self_signed(tmp_path, "own")
    stranger, _ = self_signed(tmp_path, "stranger")
    made = client(
        programs, f"tls{version[6]}", "--flow", "itself", "--role", "viewer", "--method", "certificate", "--certificate",
        fingerprint,
    )
    endpoint = metadata(programs)["mtls_endpoint_aliases"]["token_endpoint"]

    def ask(address, *arguments):
        done = run(
            "curl", "-sS", version, "--cacert", programs.ca, "-w", "\n%{http_code} %{http_version}", *arguments, "-d",
            f"grant_type=client_credentials&client_id={made['clientId']}", address,
        )
        body, _, last = done.stdout.decode().rpartition("\n")
        return last, json.loads(body)

    status, token = ask(endpoint, "--cert", own)
    assert status == ("200 2" if version == "--http2" else "200 1.1")
    assert programs.get("/tenants/oauth/devices", token["access_token"]).status_code == 200
    assert ask(endpoint, "--cert", stranger)[1]["error"] == "invalid_client"
    assert ask(endpoint)[1]["error"] == "invalid_client"
    assert ask(metadata(programs)["token_endpoint"], "--cert", own)[1]["error"] == "invalid_client"


def test_browsers_are_not_asked_for_certificates(programs):
    """The people listener sends no CertificateRequest; the one for programs does."""
    def asked(port):
        done = run(
            "openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-CAfile", programs.ca,
            "-msg", input=b"", check=False,
        )
        return b"CertificateRequest" in done.stdout
    assert not asked(programs.ports["people"])
    assert asked(int(programs.environment["TIDEGATE_LISTENERS_PROGRAMS"].rpartition(":")[2]))


def test_the_command_line_waits_for_a_person_and_nobody_else_lets_it_in(programs, tmp_path):
    login = subprocess.Popen(
        [str(BINARY), "login", "--url", programs.people_url, "--ca", str(programs.ca)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={"TIDEGATE_LOGIN": str(tmp_path / "login.json"), "PATH": "/usr/bin:/bin"},
    )
    try:
        shown = b""
        while not re.search(rb"[B-Z]{4}-[B-Z]{4}", shown):
            line = login.stderr.readline()
            assert line, shown
            shown += line
        assert f"{programs.people_url}/connect".encode() in shown
        assert login.poll() is None and not (tmp_path / "login.json").exists()
    finally:
        login.kill()
        login.wait()


def test_api_keys_keep_to_their_scopes_and_addresses(programs):
    made = programs.admin("token", "create", "--tenant", "oauth", "--role", "admin", "--scope", "device.read")
    assert made["scopes"] == ["device.read"] and re.fullmatch(r"tg_api_[0-9A-Za-z]{27}_[0-9A-Za-z]{6}", made["token"])
    assert programs.get("/tenants/oauth/devices", made["token"]).status_code == 200
    assert programs.get("/tenants/oauth/models", made["token"]).status_code == 404
    assert programs.get("/tenants/oauth/audit", made["token"]).status_code == 404
    elsewhere = programs.admin("token", "create", "--tenant", "oauth", "--role", "viewer", "--from", "192.0.2.0/24")
    answer = programs.get("/tenants/oauth/devices", elsewhere["token"])
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")
    here = programs.admin(
        "token", "create", "--tenant", "oauth", "--role", "viewer", "--from", "127.0.0.0/8", "--from", "::1")
    assert programs.get("/tenants/oauth/devices", here["token"]).status_code == 200
    answer = programs.get("/tenants/oauth/devices", here["token"][:-1])
    assert (answer.status_code, answer.json()["code"]) == (401, "token.malformed")
