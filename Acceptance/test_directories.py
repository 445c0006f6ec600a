"""Signing in with what people have elsewhere: an OpenID provider through a real browser, and Debian's slapd."""

import base64
import hashlib
import hmac
import html
import json
import re
import time
import urllib.parse

import pytest
import requests
from authlib.jose import JsonWebKey, jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from playwright.sync_api import expect

from browser import check_page
from directories import browser, provider, slapd  # noqa: F401
from tidegate import Server

WAYS = "/sign-in/organisation?organisation=acme"


@pytest.fixture(scope="module")
def server(authority, provider, slapd, tmp_path_factory):
    """A server whose tenant acme has both, and whose operator lets them lie on this machine."""
    running = Server(tmp_path_factory.mktemp("server"), environment={"TIDEGATE_DIRECTORIES_NETWORKS": "127.0.0.0/8, ::1/128"})
    running.tenant("acme")
    running.owner = running.token("acme", "owner")
    trusted = authority.ca.read_text()
    put(running, "corp", {
        "openid": {"issuer": provider.issuer, "client": provider.client, "authorities": trusted},
        "secret": provider.secret, "createsAccounts": True,
        "groups": [{"group": "staff", "role": "viewer"}, {"group": "crew", "role": "operator"}],
    })
    put(running, "office", {
        "ldap": {
            "server": slapd.url, "base": "dc=example", "searcher": "cn=reader,dc=example", "authorities": trusted,
            "groupFilter": "(&(objectClass=groupOfNames)(member={dn}))",
        },
        "secret": "reader secret", "createsAccounts": True, "linksAddresses": True, "reason": "one account each",
        "groups": [{"group": "cn=staff,dc=example", "role": "operator"}],
    })
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


def put(server, name, directory):
    answer = requests.put(
        f"{server.people_url}/api/v1/tenants/acme/directories/{name}", json=directory, verify=str(server.ca), timeout=30,
        headers={"Authorization": f"Bearer {server.owner}"})
    assert answer.status_code == 200, answer.text


def log(server, code):
    return [entry for entry in server.get("/tenants/acme/audit?limit=500", server.owner).json()["items"] if entry["code"] == code]


def by_provider(page, start="/t/acme/devices"):
    page.goto(start)
    page.get_by_role("button", name="Sign in with your organisation").click()
    page.get_by_label("Organisation's short name").fill("acme")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Go on at corp").click()
    expect(page).to_have_title("Provider")


def by_server(page, user, password):
    page.goto(WAYS)
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_person_of_a_provider_comes_in_and_their_groups_decide_what_they_may(server, browser, provider):
    provider.tell()
    page = browser.page()
    by_provider(page)
    page.get_by_role("button", name="I am Ann").click()
    expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    assert page.url.endswith("/t/acme/devices")
    expect(page.get_by_role("link", name="Connect a device")).to_have_count(0)
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies(server.people_url)}
    assert cookies["__Host-tidegate"]["sameSite"] == "Strict" and "__Host-tidegate-visit" not in cookies
    assert [entry["details"]["address"] for entry in log(server, "directory.linked")] == ["ann@example.com"]
    [opened] = log(server, "session.opened")
    assert opened["address"] in ("127.0.0.1", "::1") and opened["objectKind"] == "session"
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Sign out").click()
    provider.tell({"groups": ["crew"]})
    by_provider(page)
    page.get_by_role("button", name="I am Ann").click()
    expect(page.get_by_role("link", name="Connect a device")).to_be_visible()
    page.context.close()
    assert browser.errors == []


def test_who_is_not_let_in_there_is_not_let_in_here(browser, provider):
    page = browser.page()
    by_provider(page)
    page.get_by_role("button", name="No").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be signed in by this directory")
    assert all(cookie["name"] != "__Host-tidegate" for cookie in page.context.cookies())
    page.context.close()
    browser.errors.clear()


class Visitor:
    """What a browser does at both servers, so that each step can be bent."""

    def __init__(self, server, authority):
        self.server, self.authority = server, authority
        self.session = requests.Session()
        self.session.verify, self.session.trust_env = str(server.ca), False

    def go(self, next="/t/acme/devices"):
        answer = self.session.post(
            f"{self.server.people_url}/sign-in/provider", headers={"Origin": self.server.people_url}, timeout=30,
            data={"organisation": "acme", "directory": "corp", "next": next})
        assert answer.status_code == 200, answer.text
        return html.unescape(re.search(r'content="0;url=([^"]+)"', answer.text).group(1))

    def agree(self, address):
        answer = requests.get(
            address.replace("/authorize?", "/decide?") + "&answer=yes", verify=str(self.authority.ca), timeout=30,
            allow_redirects=False)
        return answer.headers["location"]

    def come_back(self, address):
        return self.session.get(address, timeout=30, allow_redirects=False)


@pytest.fixture
def visitor(server, authority):
    return Visitor(server, authority)


def is_refused(answer):
    return (
        answer.status_code == 401 and "could not be signed in" in answer.text
        and "__Host-tidegate=" not in answer.headers.get("set-cookie", ""))


def test_a_visit_counts_once_for_the_browser_that_began_it(server, authority, visitor, provider):
    provider.tell()
    address = visitor.agree(visitor.go())
    stranger = Visitor(server, authority)
    stranger.go()
    # Somebody else's visit is not finished by who has the address, and is over when they tried.
    assert is_refused(stranger.come_back(address))
    assert is_refused(visitor.come_back(address))
    address = visitor.agree(visitor.go())
    good = visitor.come_back(address)
    assert good.status_code == 200 and "SameSite=Strict" in good.headers["set-cookie"]
    assert 'content="0;url=/t/acme/devices"' in html.unescape(good.text)
    assert is_refused(visitor.come_back(address))
    visitor = Visitor(server, authority)
    for change in (
        lambda query: query.pop("iss"), lambda query: query.update(iss="https://evil.example"),
        lambda query: query.update(code="x"), lambda query: query.pop("code"), lambda query: query.update(state="x"),
    ):
        address = urllib.parse.urlsplit(visitor.agree(visitor.go()))
        query = dict(urllib.parse.parse_qsl(address.query))
        change(query)
        bent = address._replace(query=urllib.parse.urlencode(query)).geturl()
        assert is_refused(visitor.come_back(bent)), bent


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example/", "/\\evil.example", "/%09/evil.example\r\nX: y"])
def test_nobody_is_sent_elsewhere_afterwards(visitor, provider, next):
    provider.tell()
    good = visitor.come_back(visitor.agree(visitor.go(next)))
    assert good.status_code == 200
    place = html.unescape(re.search(r'content="0;url=([^"]+)"', good.text).group(1))
    assert place == "/" or (place.startswith("/%09/") and "\r" not in place), place


def test_forged_tokens_are_refused(visitor, provider):
    other = JsonWebKey.generate_key("RSA", 2048, {"kid": "k1"}, is_private=True)

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    def none(claims):
        return f"{part({'alg': 'none'})}.{part(claims)}."

    def by_public_key(claims):
        text = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(claims)}"
        mac = hmac.new(provider.key.as_pem(is_private=False), text.encode(), hashlib.sha256).digest()
        return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def by_itself(claims, **header):
        """Truly signed, with a header that libraries would not make."""
        text = f"{part({'alg': 'RS256', 'kid': 'k1', **header})}.{part(claims)}"
        private = serialization.load_pem_private_key(provider.key.as_pem(is_private=True), None)
        signature = private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def by_another(claims):
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, other).decode()

    now = int(time.time())
    for lie in (
        {"claims": {"aud": "another"}}, {"claims": {"aud": [provider.client, "another"]}},
        {"claims": {"aud": [provider.client, "another"], "azp": "another"}}, {"claims": {"iss": "https://evil.example"}},
        {"claims": {"exp": now - 3600}}, {"claims": {"iat": now + 7200}}, {"claims": {"nonce": "another"}},
        {"claims": {"sub": ""}}, {"token": lambda claims: by_itself(claims, kid="k2")},
        {"token": lambda claims: by_itself(claims, crit=["exp"])}, {"token": lambda claims: by_itself(claims, alg="RS1")},
        {"token": none}, {"token": by_public_key}, {"token": by_another}, {"token": lambda claims: "a.b.c"},
    ):
        provider.tell(**lie)
        assert is_refused(visitor.come_back(visitor.agree(visitor.go()))), lie
    provider.tell(token=by_itself)
    assert visitor.come_back(visitor.agree(visitor.go())).status_code == 200, "the forger can sign"


def test_a_person_of_an_ldap_directory_comes_in_by_the_password_there(server, browser, slapd):
    page = browser.page()
    by_server(page, "ann", "wrong")
    wrong = page.get_by_role("alert").inner_text()
    by_server(page, "nobody", "ann secret")
    assert page.get_by_role("alert").inner_text() == wrong
    by_server(page, "*", "ann secret")
    assert page.get_by_role("alert").inner_text() == wrong
    expect(page.get_by_label("User name")).to_have_value("*")
    browser.errors.clear()
    by_server(page, "ann", "ann secret")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.context.close()
    # One person, one account, by whichever way: the address is vouched for, and the tenant wants that to count.
    users = server.admin("user", "list", "--tenant", "acme")["items"]
    assert [user["address"] for user in users] == ["ann@example.com"]
    page = browser.page()
    by_server(page, "bob", "bob secret")
    expect(page.get_by_role("alert")).to_contain_text("could not be signed in by this directory")
    browser.errors.clear()
    slapd.change("dn: cn=staff,dc=example\nchangetype: modify\nreplace: member\nmember: uid=bob,dc=example\n")
    by_server(page, "bob", "bob secret")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    reach = server.admin("reach", "show", "--principal", "bob", "--tenant", "acme")
    assert "operator" in json.dumps(reach)
    page.context.close()
    page = browser.page()
    by_server(page, "ann", "ann secret")
    page.goto("/t/acme/devices")
    expect(page.get_by_role("link", name="Connect a device")).to_have_count(0)
    page.context.close()
    browser.errors.clear()


def test_factors_that_the_tenant_demands_are_asked_for_after_a_directory_too(server, browser, provider):
    def demand(level):
        answer = requests.put(
            f"{server.people_url}/api/v1/tenants/acme/factor-policy", json={"level": level, "reason": "insurance"},
            verify=str(server.ca), timeout=30, headers={"Authorization": f"Bearer {server.owner}"})
        assert answer.status_code == 200, answer.text

    demand("any")
    provider.tell()
    page = browser.page()
    by_provider(page)
    page.get_by_role("button", name="I am Ann").click()
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    by_server(page, "bob", "bob secret")
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    assert all(cookie["name"] != "__Host-tidegate" for cookie in page.context.cookies())
    page.context.close()
    demand("none")


def test_guessing_at_people_of_the_directory_comes_to_nothing(server):
    def enter(user, password):
        began = time.monotonic()
        answer = requests.post(
            f"{server.people_url}/sign-in/directory", headers={"Origin": server.people_url}, timeout=30, verify=str(server.ca),
            allow_redirects=False,
            data={"organisation": "acme", "directory": "office", "user": user, "password": password, "next": "/"})
        told = re.search(r'role="alert"[^>]*>(.*?)</', answer.text, re.DOTALL)
        return answer.status_code, told and told.group(1), time.monotonic() - began

    assert enter("ann", "ann secret")[0] == 303
    wrong = [enter(name, "wrong") for name in ("ann", "ANN", " ann", "ann ", "Ann", "aNN", "annie", "ann")]
    # The right one is no better now, and nothing tells it from an unknown person's.
    wrong += [enter("ann", "ann secret"), enter("nobody", "ann secret")]
    assert {answer[:2] for answer in wrong} == {(401, wrong[0][1])} and wrong[0][1]
    assert all(taken >= 0.5 for _, _, taken in wrong), wrong


def test_a_directory_that_is_gone_says_so_and_lets_nobody_in(server, browser, slapd):
    slapd.stop()
    page = browser.page()
    by_server(page, "bob", "bob secret")
    expect(page.get_by_role("alert")).to_contain_text("can not be asked just now")
    page.context.close()
    browser.errors.clear()


@pytest.mark.parametrize("name,path", [
    ("directory", "/sign-in/organisation"), ("directory-ways", WAYS),
    ("directory-none", "/sign-in/organisation?organisation=nobody"),
])
def test_the_pages_have_no_accessibility_violation(browser, server, name, path):
    check_page(browser, path, name)
