"""Enrolment over secure transport (RFC 7030) with unmodified curl, OpenSSL and strongSwan."""

import base64
import re

import pytest

from clients import curl
from tidegate import run

PATHS = ["/{tenant}/.well-known/est/{operation}", "/.well-known/est/{tenant}/{operation}"]


@pytest.fixture(scope="module", autouse=True)
def tenants(server):
    server.tenant("acme")
    server.tenant("rival")


def est(server, operation, *arguments, tenant="acme", path=PATHS[0], **more):
    return curl(server, server.device_url + path.format(tenant=tenant, operation=operation), *arguments, **more)


def enrol(device, request=None, user=None, token=None, **more):
    """Posts a request as curl does in OpenSSL's recipes: base64 of DER."""
    if request is None:
        request = device.make_request().read_bytes()
    return est(
        device.server, "simpleenroll", "--header", "Content-Type: application/pkcs10",
        "--user", f"{user or device.id}:{token or device.token}", input=base64.encodebytes(request), **more,
    )


def renew(device, request=None, credential=None, **more):
    """Posts a request with the certificate of `credential`."""
    if request is None:
        request = device.make_request().read_bytes()
    return est(device.server, "simplereenroll", device=credential, input=base64.encodebytes(request), **more)


def certificates(answer, folder):
    """The certificates in an answer, as `openssl base64` and `openssl pkcs7` make them out."""
    assert answer.status == 200, answer
    assert answer.headers["content-type"][0].startswith("application/pkcs7-mime")
    der = folder / "answer.p7"
    run("openssl", "base64", "-d", "-out", der, input=answer.body)
    return run("openssl", "pkcs7", "-inform", "DER", "-in", der, "-print_certs").stdout.decode()


def text_of(certificate):
    return run("openssl", "x509", "-in", certificate, "-noout", "-text").stdout.decode()


@pytest.mark.parametrize("path", PATHS)
def test_cacerts_tells_the_chain_to_anybody(server, path, tmp_path):
    printed = certificates(est(server, "cacerts", path=path), tmp_path)
    subjects = [line for line in printed.splitlines() if line.startswith("subject")]
    assert any("Issuing CA" in line and "acme" in line for line in subjects), subjects
    assert any("Platform CA" in line for line in subjects) and any("Root CA" in line for line in subjects)


def test_cacerts_of_an_unknown_tenant_is_not_found(server):
    assert est(server, "cacerts", tenant="nobody").status == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("user", ["id", "name"])
def test_a_device_enrols_by_either_path_and_by_identifier_or_name(server, path, user, tmp_path):
    device = server.register("acme", f"either-{PATHS.index(path)}-{user}")
    answer = enrol(device, user=getattr(device, user), path=path)
    device.certificate.write_text(certificates(answer, tmp_path))
    chain = tmp_path / "chain.pem"
    chain.write_text(certificates(est(server, "cacerts", path=path), tmp_path))
    done = run("openssl", "verify", "-purpose", "sslclient", "-x509_strict", "-CAfile", chain, device.certificate)
    assert done.stdout.strip().endswith(b"OK")


def test_the_subject_is_the_servers_and_not_the_requests(server, tmp_path):
    device = server.register("acme", "modest")
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", device.key)
    request = tmp_path / "proud.csr"
    run(
        "openssl", "req", "-new", "-key", device.key, "-subj", "/O=Rival/CN=admin", "-outform", "DER", "-out", request,
        "-addext", "subjectAltName=URI:tidegate://rival.localhost/device/0,DNS:evil.example",
        "-addext", "extendedKeyUsage=serverAuth", "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=keyCertSign",
    )
    answer = enrol(device, request.read_bytes())
    device.certificate.write_text(certificates(answer, tmp_path))
    text = text_of(device.certificate)
    assert f"Subject: CN = {device.id}" in text
    assert re.search(r"Subject Alternative Name:.*\n\s+(.*)", text)[1].strip() == f"URI:tidegate://acme.localhost/device/{device.id}"
    assert re.search(r"Extended Key Usage:.*\n\s+(.*)", text)[1].strip() == "TLS Web Client Authentication"
    assert re.search(r"X509v3 Key Usage:.*\n\s+(.*)", text)[1].strip() == "Digital Signature"
    assert "CA:FALSE" in text and "Rival" not in text and "evil" not in text


def test_a_token_works_once(server):
    device = server.register("acme", "once")
    assert enrol(device).status == 200
    assert enrol(device).status == 401


def test_every_wrong_credential_gets_the_same_answer(server):
    device = server.register("acme", "careful")
    foreign = server.register("rival", "careful")
    used = server.enrolled("acme", "used-up")
    answers = {
        "wrong token": enrol(device, token=foreign.token),
        "unknown device": enrol(device, user="nobody"),
        "unknown identifier": enrol(device, user="01" * 16),
        "another device's token": enrol(device, user=used.id),
        "used token": enrol(used),
        "not a token": enrol(device, token="tg_enrol_nonsense"),
        "foreign tenant": enrol(device, tenant="rival"),
        "unknown tenant": enrol(device, tenant="nobody"),
        "foreign identifier": enrol(device, user=foreign.id),
        "no credential": est(server, "simpleenroll", input=b"x"),
    }
    for what, answer in answers.items():
        assert answer.status == 401, what
        assert answer.headers["www-authenticate"][0].startswith("Basic"), what
    assert len({answer.body for answer in answers.values()}) == 1
    assert enrol(device).status == 200, "a refused attempt does not use the token up"


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("not base64", 400, "est.bodyMalformed"),
        ("empty", 400, "est.bodyMalformed"),
        ("not a request", 400, "csr.malformed"),
        ("truncated", 400, "csr.malformed"),
        ("bad self-signature", 400, "csr.signature"),
        ("small RSA key", 400, None),
        ("unusable kind of key", 400, None),
    ],
)
def test_a_faulty_request_is_refused_clearly_and_does_not_use_the_token_up(server, tmp_path, what, status, code):
    device = server.register("acme", "faulty-" + what.replace(" ", "-"))
    good = device.make_request().read_bytes()
    request = {
        "not a request": lambda: bytes.fromhex("3003020105"),
        "truncated": lambda: good[:-20],
        "bad self-signature": lambda: good[:-1] + bytes([good[-1] ^ 1]),
        "small RSA key": lambda: foreign_request(tmp_path, "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
        "unusable kind of key": lambda: foreign_request(tmp_path, "ED25519"),
    }
    credential = ["--user", f"{device.id}:{device.token}"]
    if what in request:
        answer = enrol(device, request[what]())
    else:
        answer = est(server, "simpleenroll", *credential, input=b"" if what == "empty" else b"*** no base64 ***")
    assert answer.status == status, answer
    assert code is None or answer.code == code
    assert enrol(device).status == 200


def foreign_request(folder, algorithm, *options):
    run("openssl", "genpkey", "-algorithm", algorithm, *options, "-out", folder / "other.key")
    run("openssl", "req", "-new", "-key", folder / "other.key", "-subj", "/CN=x", "-outform", "DER", "-out", folder / "o.csr")
    return (folder / "o.csr").read_bytes()


def test_an_oversized_request_is_refused(server):
    device = server.register("acme", "fat")
    answer = enrol(device, b"\x30" * (64 << 10))
    assert answer.status == 413, answer
    assert enrol(device).status == 200


def test_pem_bare_der_and_an_rsa_key_are_understood(server, tmp_path):
    der = server.register("acme", "der")
    answer = est(
        server, "simpleenroll", "--user", f"{der.id}:{der.token}", input=der.make_request().read_bytes())
    assert answer.status == 200, answer
    pem = server.register("acme", "pem")
    armoured = run("openssl", "req", "-inform", "DER", "-in", pem.make_request()).stdout
    assert est(server, "simpleenroll", "--user", f"{pem.id}:{pem.token}", input=armoured).status == 200
    rsa = server.register("acme", "rsa")
    assert enrol(rsa, foreign_request(tmp_path, "RSA", "-pkeyopt", "rsa_keygen_bits:2048")).status == 200


def test_an_unbroken_base64_line_is_understood(server):
    device = server.register("acme", "unbroken")
    line = base64.b64encode(device.make_request().read_bytes())
    assert est(server, "simpleenroll", "--user", f"{device.id}:{device.token}", input=line).status == 200


def test_a_device_renews_over_mutual_tls_with_a_new_key(server, tmp_path):
    device = server.enrolled("acme", "lasting")
    before = text_of(device.certificate)
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp_path / "new.key")
    run("openssl", "req", "-new", "-key", tmp_path / "new.key", "-subj", "/CN=x", "-outform", "DER", "-out", tmp_path / "new.csr")
    answer = renew(device, (tmp_path / "new.csr").read_bytes(), device)
    (tmp_path / "new.pem").write_text(certificates(answer, tmp_path))
    after = text_of(tmp_path / "new.pem")
    name = re.compile(r"URI:\S+")
    assert name.search(before)[0] == name.search(after)[0] and before != after
    for certificate, key in [(tmp_path / "new.pem", tmp_path / "new.key"), (device.certificate, device.key)]:
        answer = est(
            server, "simplereenroll", "--cert", certificate, "--key", key,
            input=base64.encodebytes((tmp_path / "new.csr").read_bytes()))
        assert answer.status == 200, "new and old certificate both work"


def test_renewal_needs_a_certificate_of_that_tenant(server):
    device = server.enrolled("acme", "impostor")
    assert renew(device).status == 403
    assert renew(device, credential=device, tenant="rival").status == 404


def test_csrattrs_asks_for_an_elliptic_key(server):
    answer = est(server, "csrattrs")
    assert answer.status == 200 and answer.headers["content-type"][0] == "application/csrattrs"
    printed = run("openssl", "asn1parse", "-inform", "DER", input=base64.b64decode(answer.body)).stdout
    assert b"prime256v1" in printed and b"ecdsa-with-SHA256" in printed


def test_methods_and_unknown_operations_are_refused(server):
    assert est(server, "simpleenroll").status == 405
    assert est(server, "cacerts", input=b"x").status == 405
    assert est(server, "serverkeygen", input=b"x").status == 404


def test_strongswan_fetches_the_ca_enrols_and_renews(server, tmp_path):
    device = server.register("acme", "swan")
    url = f"{server.device_url}/acme"

    def pki(*arguments, output=None):
        done = run("pki", *arguments, cwd=tmp_path)
        if output:
            (tmp_path / output).write_bytes(done.stdout)

    pki("--estca", "--url", url, "--cacert", server.ca, "--caout", "ca", "--outform", "pem")
    assert len(list(tmp_path.glob("ca*"))) >= 3, "root, intermediate and issuing CA"
    pki("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem", output="swan.key")
    pki("--req", "--type", "ecdsa", "--in", "swan.key", "--dn", "CN=x", output="swan.csr")
    pki(
        "--est", "--url", url, "--in", "swan.csr", "--cacert", server.ca, "--userpass", f"{device.id}:{device.token}",
        "--outform", "pem", output="swan.pem")
    assert f"tidegate://acme.localhost/device/{device.id}" in text_of(tmp_path / "swan.pem")
    pki("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem", output="next.key")
    pki("--req", "--type", "ecdsa", "--in", "next.key", "--dn", "CN=x", output="next.csr")
    pki(
        "--est", "--url", url, "--in", "next.csr", "--cacert", server.ca, "--cert", "swan.pem", "--key", "swan.key",
        "--outform", "pem", output="next.pem")
    assert text_of(tmp_path / "next.pem") != text_of(tmp_path / "swan.pem")
