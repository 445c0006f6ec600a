"""A person lets a program in, in a real browser: authorization code with PKCE, and the device flow, with Authlib."""

import http.server
import os
import re
import subprocess
import threading
import urllib.parse

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from playwright.sync_api import expect

from browser import check_page
from console import PASSWORD, administrator, browser, server
from tidegate import BINARY, run


@pytest.fixture(scope="module")
def landing():
    """The program's own address on this machine, where the browser brings the code."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/callback"):
                seen.append(f"http://127.0.0.1:{self.server.server_address[1]}{self.path}")
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>The program</title><link rel=icon href=data:,><h1>Thank you</h1>")

        def log_message(self, *arguments):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    running.seen, running.address = seen, f"http://127.0.0.1:{running.server_address[1]}/callback"
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="module")
def program(server, administrator):
    return server.admin(
        "client", "create", "<b>Charts</b> {{page}}", "--tenant", "acme-water", "--flow", "code", "--method", "none",
        "--redirect", "http://127.0.0.1/callback")


def session(server, program, landing, scope):
    found = OAuth2Session(
        program["clientId"], scope=scope, redirect_uri=landing.address, code_challenge_method="S256",
        token_endpoint_auth_method="none")
    found.trust_env, found.verify = False, str(server.ca)
    return found


def addresses(server):
    return requests.get(
        f"{server.people_url}/.well-known/oauth-authorization-server", verify=str(server.ca), timeout=10).json()


def asked(server, program, landing, scope="device.read openid"):
    oauth = session(server, program, landing, scope)
    verifier = generate_token(48)
    address, state = oauth.create_authorization_url(
        addresses(server)["authorization_endpoint"], code_verifier=verifier, nonce=generate_token(20))
    return oauth, address, state, verifier


def test_a_person_lets_a_program_in_and_it_may_what_they_were_shown(server, browser, administrator, program, landing):
    oauth, address, state, verifier = asked(server, program, landing)
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(address)
    expect(page.get_by_text("<b>Charts</b> {{page}} asks to act for you.")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_text(["device.read"])
    page.get_by_role("button", name="Let it in").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    page.context.close()
    back = landing.seen[-1]
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["state"] == [state]
    endpoint = addresses(server)["token_endpoint"]
    token = oauth.fetch_token(endpoint, authorization_response=back, code_verifier=verifier)
    assert set(token["scope"].split()) == {"device.read", "openid"} and token["id_token"]
    devices = f"{server.people_url}/api/v1/tenants/acme-water/devices"
    assert oauth.get(devices).status_code == 200
    assert oauth.get(f"{server.people_url}/api/v1/tenants/acme-water/models").status_code == 404
    # The next pair ends the last; the code's second use ends all that the first one gave.
    old = token["access_token"]
    renewed = oauth.refresh_token(endpoint, refresh_token=token["refresh_token"])
    assert oauth.get(devices).status_code == 200 and renewed["access_token"] != old
    with pytest.raises(Exception, match="invalid_grant"):
        session(server, program, landing, None).fetch_token(
            endpoint, authorization_response=back, code_verifier=verifier)
    assert oauth.get(devices).status_code == 401


def test_who_is_not_signed_in_signs_in_first_and_a_refusal_is_told(server, browser, administrator, program, landing):
    oauth, address, state, _ = asked(server, program, landing)
    page = browser.page()
    page.goto(address)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    page.context.close()
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(landing.seen[-1]).query)
    assert query["error"] == ["access_denied"] and query["state"] == [state]


@pytest.mark.parametrize("change", [
    {"redirect_uri": "https://evil.example/callback"}, {"redirect_uri": "http://127.0.0.1.evil.example/callback"},
    {"redirect_uri": "http://127.0.0.1/callback/../x"}, {"redirect_uri": "javascript:alert(1)"}, {"client_id": "0" * 32},
])
def test_nobody_is_sent_to_an_address_that_is_not_the_programs(server, browser, administrator, program, landing, change):
    _, address, _, _ = asked(server, program, landing)
    parts = urllib.parse.urlsplit(address)
    query = {**dict(urllib.parse.parse_qsl(parts.query)), **change}
    page = browser.page(browser.context(storage_state=administrator))
    answer = page.goto(parts._replace(query=urllib.parse.urlencode(query)).geturl())
    assert answer.status >= 400 and page.url.startswith(server.people_url)
    assert "evil.example" not in page.content() and "javascript:" not in page.content()
    page.context.close()
    browser.errors.clear()


def test_the_command_line_acts_for_a_person_who_proves_themselves_for_what_is_dangerous(
        server, browser, administrator, tmp_path):
    environment = {**os.environ, "TIDEGATE_LOGIN": str(tmp_path / "login.json")}
    where = ["--url", server.people_url, "--ca", str(server.ca)]
    login = subprocess.Popen([str(BINARY), "login", *where], stderr=subprocess.PIPE, env=environment)
    shown = b""
    while not (code := re.search(rb"[B-Z]{4}-[B-Z]{4}", shown)):
        line = login.stderr.readline()
        assert line, shown
        shown += line
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/connect")
    page.get_by_label("Code").fill(code.group(0).decode())
    page.get_by_role("button").last.click()
    expect(page.get_by_text("tidegate (command line) asks to act for you.")).to_be_visible()
    page.get_by_role("button", name="Let it in").click()
    expect(page.get_by_role("heading", name="The program is let in")).to_be_visible()
    page.context.close()
    assert login.wait(60) == 0

    def admin(*arguments, input=None):
        return run(BINARY, "admin", *where, *arguments, check=False, env=environment, input=input)

    assert admin("device", "list", "--tenant", "acme-water").returncode == 0
    refused = admin("token", "create", "--tenant", "acme-water", "--role", "viewer")
    assert refused.returncode == 1 and b"prove once more" in refused.stderr, refused
    wrong = admin("prove", "--by", "password", input=b"wrong\n")
    assert wrong.returncode == 1 and b"The password is wrong" in wrong.stderr, wrong
    assert admin("prove", "--by", "password", input=PASSWORD.encode() + b"\n").returncode == 0
    made = admin("token", "create", "--tenant", "acme-water", "--role", "viewer")
    assert made.returncode == 0 and b"tg_api_" in made.stdout, made


def test_the_page_has_no_accessibility_violation(server, browser, administrator, program, landing):
    _, address, _, _ = asked(server, program, landing)
    parts = urllib.parse.urlsplit(address)
    check_page(browser, f"{parts.path}?{parts.query}", "consent", administrator)
