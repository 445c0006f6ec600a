"""Where people are known already: Debian's slapd, unmodified, and an OpenID provider of the tests' own."""

import base64
import hashlib
import http.server
import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest
from authlib.jose import JsonWebKey, jwt

from browser import Browser
from tidegate import free_port, run, wait_for

PEOPLE = """
dn: dc=example
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=reader,dc=example
objectClass: person
cn: reader
sn: reader
userPassword: reader secret

dn: uid=ann,dc=example
objectClass: inetOrgPerson
uid: ann
cn: Ann Example
sn: Example
mail: ann@example.com
userPassword: ann secret

dn: uid=bob,dc=example
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Bob
mail: bob@example.com
userPassword: bob secret

dn: cn=staff,dc=example
objectClass: groupOfNames
cn: staff
member: uid=ann,dc=example
"""


class Slapd:
    """Debian's directory server, with two people, one of them in a group; it speaks to nobody without TLS."""

    def __init__(self, authority, folder):
        (folder / "data").mkdir(parents=True)
        self.port, self.folder = free_port(), folder
        # Not localhost, which libldap takes for the name of this machine.
        self.url = f"ldaps://127.0.0.1:{self.port}"
        settings = folder / "slapd.conf"
        settings.write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {authority.certificate}
TLSCertificateKeyFile {authority.key}
security simple_bind=128
database mdb
suffix "dc=example"
rootdn "cn=root,dc=example"
rootpw "root secret"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=example" read by * none
""")
        run("/usr/sbin/slapadd", "-f", settings, input=PEOPLE.strip().encode() + b"\n")
        self.process = subprocess.Popen(
            ["/usr/sbin/slapd", "-d", "0", "-f", settings, "-h", self.url],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.environment = {**os.environ, "LDAPTLS_CACERT": str(authority.ca)}

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_for(listens, "slapd listens")

    def change(self, text):
        """Changes entries with the unmodified ldapmodify."""
        run("ldapmodify", "-x", "-H", self.url, "-D", "cn=root,dc=example", "-w", "root secret",
            input=text.encode(), env=self.environment)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Provider:
    """An OpenID provider with an RSA key, which signs in whoever presses its button, and can be told to lie."""

    def __init__(self, authority, client="tidegate", secret="client secret"):
        self.key = JsonWebKey.generate_key("RSA", 2048, {"kid": "k1", "use": "sig"}, is_private=True)
        self.client, self.secret = client, secret
        self.claims, self.header, self.token, self.codes, self.asked = {}, {}, None, {}, []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, content, kind="application/json", **headers):
                body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                provider.asked.append(self.path)
                address = urllib.parse.urlsplit(self.path)
                if address.path == "/.well-known/openid-configuration":
                    self.answer(200, provider.document)
                elif address.path == "/keys":
                    self.answer(200, {"keys": [json.loads(provider.key.as_json(is_private=False))]})
                elif address.path == "/authorize":
                    # Only what the page needs; the parameters come back with the button.
                    query = "".join(
                        f'<input type="hidden" name="{name}" value="{value}">'
                        for name, value in urllib.parse.parse_qsl(address.query))
                    self.answer(
                        200, f"<!doctype html><title>Provider</title><link rel=icon href=data:,><form action='/decide'>{query}"
                        "<button name=answer value=yes>I am Ann</button><button name=answer value=no>No</button></form>",
                        "text/html")
                elif address.path == "/decide":
                    self.decide(dict(urllib.parse.parse_qsl(address.query)))
                else:
                    self.answer(404, {})

            def decide(self, asked):
                assert asked["response_type"] == "code" and asked["client_id"] == provider.client
                assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
                if asked["answer"] == "yes":
                    code = secrets.token_urlsafe(16)
                    provider.codes[code] = asked
                    values = {"code": code, "state": asked["state"], "iss": provider.issuer}
                else:
                    values = {"error": "access_denied", "state": asked["state"], "iss": provider.issuer}
                self.answer(
                    302, "", "text/plain", Location=f"{asked['redirect_uri']}?{urllib.parse.urlencode(values)}")

            def do_POST(self):
                provider.asked.append(self.path)
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
                pair = base64.b64encode(
                    f"{urllib.parse.quote_plus(provider.client)}:{urllib.parse.quote(provider.secret)}".encode()).decode()
                asked = provider.codes.pop(form.get("code"), None)
                challenge = base64.urlsafe_b64encode(
                    hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
                if (self.headers["authorization"] != f"Basic {pair}" or not asked
                        or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]):
                    self.answer(400, {"error": "invalid_grant"})
                    return
                now = int(time.time())
                claims = {
                    "iss": provider.issuer, "aud": provider.client, "sub": "u-ann", "iat": now, "exp": now + 300,
                    "nonce": asked["nonce"], "name": "Ann Example", "email": "ann@example.com", "email_verified": True,
                    "groups": ["staff"], **provider.claims,
                }
                token = provider.token(claims) if provider.token else jwt.encode(
                    {"alg": "RS256", "kid": "k1", **provider.header}, claims, provider.key).decode()
                self.answer(200, {"id_token": token, "access_token": "unused", "token_type": "Bearer"})

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = authority.context.wrap_socket(self.server.socket, server_side=True)
        self.issuer = f"https://localhost:{self.server.server_address[1]}"
        self.document = {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
        }
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def tell(self, claims=None, header=None, token=None):
        """What the next tokens say beside the usual."""
        self.claims, self.header, self.token = claims or {}, header or {}, token

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def provider(authority):
    running = Provider(authority)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def slapd(authority, tmp_path_factory):
    running = Slapd(authority, tmp_path_factory.mktemp("slapd"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser(server, authority, tmp_path_factory):
    chromium = Browser(server, tmp_path_factory.mktemp("browser"), also=[authority.ca])
    yield chromium
    chromium.close()
    assert chromium.errors == [], "the browser's console has errors"
