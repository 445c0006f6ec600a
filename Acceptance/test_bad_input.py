"""Bad input to the people's listener over real sockets: smuggled requests, false hosts, paths, forms, tokens."""

import base64
import hashlib
import hmac
import html.parser
import json
import re
import socket
import ssl
import time

import pytest
import requests

from console import PASSWORD
from tidegate import wait_for

ADDRESS = "ada@example.com"


@pytest.fixture(scope="module")
def server(sqlite_server):
    """A server whose administrator has an account, in a tenant with names that mean something to somebody."""
    running = sqlite_server
    running.tenant("acme")
    running.owner = running.token("acme", "owner")
    link = running.admin("user", "invite", ADDRESS, "--tenant", "acme", "--role", "owner")["link"]["url"]
    answer = post(running, "/invitation", {"link": link.split("=")[1], "name": "Ada", "password": PASSWORD})
    assert answer.status_code == 303 and "__Host-tidegate=" in answer.headers["set-cookie"], answer.text
    return running


def fresh(server):
    """A browser's state of its own."""
    session = requests.Session()
    session.verify, session.trust_env = str(server.ca), False
    return session


def post(server, path, form, headers=None, session=None):
    return (session or fresh(server)).post(
        server.people_url + path, data=form, headers={"Origin": server.people_url, **(headers or {})}, timeout=30,
        allow_redirects=False)


def exchange(server, request, host="localhost", port="people"):
    """Sends bytes on a connection of its own and reads until the other side closes it, or says nothing more for a while."""
    context = ssl.create_default_context(cafile=str(server.ca))
    context.set_alpn_protocols(["http/1.1"])
    with socket.create_connection(("127.0.0.1", server.ports[port]), 10) as plain:
        with context.wrap_socket(plain, server_hostname=host) as secure:
            secure.sendall(request)
            secure.settimeout(30)
            answer = b""
            try:
                while part := secure.recv(65536):
                    answer += part
                    secure.settimeout(1.5)
            except (TimeoutError, ssl.SSLError, ConnectionResetError):
                pass
            return answer


def statuses(answer):
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


# Requests within requests

INNER = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\nX-Smuggled: yes\r\n\r\n"
HEAD = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
SMUGGLED = {
    "a length and chunks": HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
    "chunks and a length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(INNER)) + INNER,
    "two lengths": HEAD + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(INNER) + INNER,
    "two lengths in one": HEAD + b"Content-Length: 0, %d\r\n\r\n" % len(INNER) + INNER,
    "a signed length": HEAD + b"Content-Length: +%d\r\n\r\n" % len(INNER) + INNER,
    "a length in hexadecimal digits": HEAD + b"Content-Length: 0x0\r\n\r\n" + INNER,
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n" + INNER,
    "a folded line": HEAD + b"X-A: b\r\n Content-Length: 0\r\n\r\n" + INNER,
    "a folded length": HEAD + b"Content-Length:\r\n 0\r\n\r\n" + INNER,
    "white space before the colon": HEAD + b"Content-Length : 0\r\n\r\n" + INNER,
    "bare line feeds": HEAD.replace(b"\r\n", b"\n") + b"Content-Length: 0\nTransfer-Encoding: chunked\n\n0\n\n" + INNER,
    "a bare line feed between fields": HEAD + b"X-A: b\nContent-Length: %d\r\n\r\n" % len(INNER) + INNER,
    "a bare carriage return": HEAD + b"X-A: b\rContent-Length: 0\r\n\r\n" + INNER,
    "an unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + INNER,
    "a coding after chunks": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + INNER,
    "chunks twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + INNER,
    "a chunk's size that overflows": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1000000000000000000\r\n" + INNER,
    "a chunk's size with a sign": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + INNER,
    "a chunk without its end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\naX0\r\n\r\n" + INNER,
    "a zero in a field": HEAD + b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n" + INNER,
}


@pytest.mark.parametrize("what", SMUGGLED)
def test_one_request_is_never_taken_for_two_that_differ_by_who_reads_it(server, what):
    """Whatever is ambiguous is refused and the connection closed: what follows it is not answered as a request."""
    answer = exchange(server, SMUGGLED[what])
    found = statuses(answer)
    assert b'"openapi"' not in answer, (what, found)
    # What the fields alone decide may be told before the body is found to be none.
    assert found in ([], [400], [403, 400]), (what, found, answer[:300])


def test_a_form_by_either_right_framing_is_one_request(server):
    body = b"address=a&password=b"
    origin = b"Origin: https://localhost\r\nConnection: close\r\n"
    for framing in (
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body),
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
    ):
        assert statuses(exchange(server, HEAD + origin + framing)) == [401]


def test_what_breaks_off_behind_a_request_for_a_head_is_refused_with_a_body(server):
    request = b"HEAD /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\nH0AD / HTTP/1.1\r\n\r\n"
    first, second = exchange(server, request, port="device").split(b"HTTP/1.1 ")[1:]
    assert first.endswith(b"\r\n\r\n") and re.search(rb"Content-Length: [1-9]", first), first
    head, body = second.split(b"\r\n\r\n")
    assert head.startswith(b"400 ") and b"Content-Length: %d\r\n" % len(body) in head and body, second


# Hosts

@pytest.mark.parametrize("host", [
    b"evil.example", b"localhost:1@evil.example", b"evil.example/x", b"a\"><script>", b"localhost, evil.example", b"",
])
def test_a_false_host_makes_no_link_and_no_address(server, host):
    request = b"GET /sign-in HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host
    answer = exchange(server, request)
    assert statuses(answer)[0] in (200, 400, 421), answer[:300]
    assert b"<script>" not in answer.replace(b'<script type="module" src="/assets/', b"")
    for attribute in re.findall(rb'(?:href|action|content|src)="([^"]*)"', answer):
        assert b"evil" not in attribute, attribute
    form = HEAD.replace(b"localhost", host) + b"Origin: https://evil.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert b"set-cookie" not in exchange(server, form).lower()


def test_a_link_names_the_deployment_and_no_host_of_a_request(server):
    for name in ("Host", "X-Forwarded-Host", "Forwarded", "X-Host", "X-Forwarded-Proto"):
        answer = server.post(
            "/tenants/acme/users/ada%40example.com/link", server.owner, headers={name: "evil.example"})
        assert answer.status_code in (200, 201) and "evil.example" not in answer.text, answer.text


def test_two_hosts_are_refused(server):
    request = b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    found = statuses(exchange(server, request))
    assert found == [400] or found == [], found


# Ways out

@pytest.mark.parametrize("next", [
    "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "javascript:alert(1)",
    "%2F%2Fevil.example", "/%0d%0aLocation:%20https://evil.example", "/\r\nLocation: https://evil.example", "////evil.example",
    "/.//evil.example", "http:evil.example", "@evil.example", "/x" * 2000,
])
def test_a_sign_in_leads_nowhere_but_here(server, next):
    page = fresh(server).get(server.people_url + "/sign-in", params={"next": next}, timeout=30)
    for place in re.findall(r'name="next" value="([^"]*)"', page.text):
        assert place.startswith("/") and not place.startswith("//") and "\\" not in place, place
    answer = post(server, "/sign-in", {"address": ADDRESS, "password": PASSWORD, "next": next})
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    assert place.startswith("/") and not place.startswith("//") and "\\" not in place and len(place) <= 2000
    assert len([name for name in answer.headers if name.lower() == "location"]) == 1


# Paths

@pytest.mark.parametrize("path", [
    "/assets/../../../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/%2e%2e/etc/passwd",
    "/assets/....//....//etc/passwd", "/assets/..\\..\\etc\\passwd", "/assets//etc/passwd", "/assets/tidegate.css%00.png",
    "/assets/%c0%ae%c0%ae/etc/passwd", "//etc/passwd", "/./../data/tidegate.db", "/t/../../keys/seal.key",
    "/t/acme/../../api/v1/openapi.json", "/t/acme/devices/..%2f..%2faudit", "/t/%2e%2e/devices", "/api/v1/../../etc/passwd",
])
def test_no_path_leads_out_of_what_is_served(server, path):
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    answer = exchange(server, request)
    assert statuses(answer)[0] in (303, 400, 404), answer[:300]
    assert b"root:" not in answer and b"SQLite format" not in answer and b'"openapi"' not in answer


# Names that mean something

NAMES = [
    "{{page}}", "{{{frame.person.formToken}}}", "{{>shell}}", "{{#frame}}x{{/frame}}", "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>", "'; DROP TABLE device; --", "${7*7}", "<%= 7*7 %>", "=cmd|' /C calc'!A0", "\u202eevil",
    "</textarea><b>", "&lt;b&gt;", "javascript:alert(1)",
    # A mark that combines with what stands before it makes one character of both, but not for a browser.
    "\"\u0301 onfocus=alert(1) autofocus x=\"\u0301", "<\u0301img src=x onerror=alert(1)>", "</textarea><\u0338b>",
]


class Elements(html.parser.HTMLParser):
    """What a browser takes for elements and attributes, whatever stands in the text between them."""

    def __init__(self):
        super().__init__()
        self.names, self.attributes = set(), set()

    def handle_starttag(self, name, attributes):
        self.names.add(name)
        self.attributes.update(attribute for attribute, _ in attributes)


@pytest.fixture(scope="module")
def signed_in(server):
    session = fresh(server)
    answer = post(server, "/sign-in", {"address": ADDRESS, "password": PASSWORD}, session=session)
    assert answer.status_code == 303
    return session


@pytest.mark.parametrize("name", NAMES)
def test_what_people_write_is_shown_as_they_wrote_it(server, signed_in, name):
    number = NAMES.index(name)
    made = server.post(
        "/tenants/acme/devices", server.owner, json={"name": f"odd-{number}", "place": name, "labels": {"note": name[:60]}})
    answer = server.post("/tenants/acme/domains", server.owner, json={"name": name})
    assert made.status_code < 500 and answer.status_code < 500
    for path in (
        f"/t/acme/devices/odd-{number}", "/t/acme/devices", "/t/acme/devices?filter=" + requests.utils.quote(name),
        "/sign-in?next=/" + requests.utils.quote(name), "/sign-in/organisation?organisation=" + requests.utils.quote(name),
    ):
        page = signed_in.get(server.people_url + path, timeout=30)
        assert page.status_code in (200, 400, 404, 422), (path, page.status_code)
        text = re.sub(r'<script type="module" src="/assets/[^"]+"></script>', "", page.text)
        assert "<script" not in text and "<img src=x" not in text and "<b>" not in text
        # Nothing that looks like a template is one: it comes back whole, or not at all.
        if name.startswith("{{") and "{{" not in text:
            assert "&#x7B;" in text or name not in text
        elements = Elements()
        elements.feed(page.text)
        assert not [name for name in elements.attributes if name.startswith("on")] and "img" not in elements.names


# Forms

def form_token(server, session, path="/t/acme/devices/connect"):
    page = session.get(server.people_url + path, timeout=30)
    return re.search(r'name="form-token" value="([^"]+)"', page.text).group(1)


def test_a_form_is_taken_only_from_our_own_pages_with_their_token(server, signed_in):
    good = form_token(server, signed_in)
    other = fresh(server)
    assert post(server, "/sign-in", {"address": ADDRESS, "password": PASSWORD}, session=other).status_code == 303
    path, count = "/t/acme/devices/connect", 0
    for token, headers, status in [
        (None, {}, 403), ("", {}, 403), ("x", {}, 403), (good[:-1], {}, 403), (good.upper() + "x", {}, 403),
        (form_token(server, other), {}, 403), (good, {"Origin": "https://evil.example"}, 403),
        (good, {"Origin": "null"}, 403), (good, {"Origin": None}, 403), (good, {"Sec-Fetch-Site": "cross-site"}, 403),
        (good, {"Sec-Fetch-Site": "same-site"}, 403), (good, {"Origin": server.people_url + ".evil.example"}, 403),
        (good, {}, 303),
    ]:
        count += 1
        form = {"name": f"fenced-{count}", **({} if token is None else {"form-token": token})}
        answer = post(server, path, form, headers, signed_in)
        assert answer.status_code in ((200, 303) if status == 303 else (status,)), (token, headers, answer.status_code)
        exists = server.get(f"/tenants/acme/devices/fenced-{count}", server.owner).status_code == 200
        assert exists == (status == 303), (token, headers)


def test_oversize_and_malformed_forms_are_refused_before_anything_is_done(server, signed_in):
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, headers, wanted in [
        (b"a=" + b"x" * (9 << 20), kind, {413}), (b"&".join(b"a%d=1" % number for number in range(20_000)), kind, {400, 413, 422}),
        (b"address=%zz", kind, {400, 422}), (b"address=%ff%fe", kind, {400, 422}), (b"address=a%00b", kind, {400, 422}),
        (b"{}", {"Content-Type": "application/json"}, {400, 415, 422}),
        (b"--x\r\n\r\n--x--", {"Content-Type": "multipart/form-data; boundary=x"}, {400, 415, 422}),
        (b"address=a", {**kind, "Content-Encoding": "gzip"}, {400, 415, 422}),
    ]:
        try:
            answer = post(server, "/sign-in", body, headers)
        except requests.ConnectionError:
            continue
        assert answer.status_code in wanted, (body[:40], answer.status_code, answer.text[:200])
        assert "set-cookie" not in answer.headers
    # As much as there may be in one field: it is a wrong password, and no more.
    answer = post(server, "/sign-in", {"address": "a" * 5000 + "@example.com", "password": "x" * 100_000})
    assert answer.status_code == 401


def test_cookies_that_somebody_planted_count_for_nothing(server, signed_in):
    secret = signed_in.cookies["__Host-tidegate"]
    for cookie in (
        f"__Host-tidegate={secret}x", f"__Host-tidegate={secret}; __Host-tidegate=planted", "__Host-tidegate=",
        f"tidegate={secret}", f"__host-tidegate={secret}", "__Host-tidegate=" + "a" * 5000,
        f"__Host-tidegate-visit={secret}", f"__Host-tidegate={secret[:-1]}",
    ):
        answer = requests.get(
            server.people_url + "/t/acme", headers={"Cookie": cookie}, verify=str(server.ca), timeout=30, allow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"), cookie
    answer = requests.get(
        server.people_url + "/t/acme", headers={"Cookie": f"__Host-tidegate={secret}"}, verify=str(server.ca), timeout=30,
        allow_redirects=False)
    assert answer.status_code == 200
    # A session is no token for the API, and a token no session.
    for header in (f"Bearer {secret}", f"Basic {base64.b64encode(secret.encode()).decode()}"):
        assert requests.get(
            f"{server.people_url}/api/v1/tenants/acme", headers={"Authorization": header}, verify=str(server.ca),
            timeout=30).status_code == 401
    answer = requests.get(
        server.people_url + "/t/acme", headers={"Cookie": f"__Host-tidegate={server.owner}"}, verify=str(server.ca),
        timeout=30, allow_redirects=False)
    assert answer.status_code == 303


# Tokens

def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_is_opaque_and_nothing_that_somebody_made_counts(server):
    claims = {"sub": "ada", "aud": server.people_url, "iss": server.people_url, "exp": int(time.time()) + 60, "scope": "all"}
    signed = f"{part({'alg': 'HS256', 'kid': '../../etc/passwd', 'crit': ['exp']})}.{part(claims)}"
    mac = base64.urlsafe_b64encode(hmac.new(b"", signed.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    good = server.owner
    for token in (
        f"{part({'alg': 'none'})}.{part(claims)}.", f"{signed}.{mac}", f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{part(claims)}.x",
        good[:-1], good + "x", good.upper(), good.replace("tg_api_", "tg_session_"), good.replace("tg_api_", "tg_access_"), "",
        "x" * 20_000, "\u00e9", good + " " + good,
    ):
        answer = requests.get(
            f"{server.people_url}/api/v1/tenants/acme", headers={"Authorization": f"Bearer {token}".encode()},
            verify=str(server.ca), timeout=30)
        assert answer.status_code in (400, 401, 429, 431), (token[:40], answer.status_code)
        time.sleep(0.15)  # below the rate of refused credentials
    assert server.get("/tenants/acme", good).status_code == 200
