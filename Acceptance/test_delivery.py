"""Deliveries: mail, SMS, webhooks and syslog, with unmodified receivers."""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
import signal

import pytest

from receivers import Hook, MailServer, Silence, Syslog
from tidegate import Server, free_port, wait_for

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def mail(authority):
    running = MailServer(authority, user="tidegate", password=PASSWORD)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def sender(authority, mail, tmp_path_factory):
    """A server with a mail server, whose tenants' outlets may lie on this machine."""
    folder = tmp_path_factory.mktemp("sender")
    secret = folder / "mail.secret"
    secret.write_text(PASSWORD + "\n")
    running = Server(folder, environment={
        "TIDEGATE_MAIL_SERVER": f"localhost:{mail.port}", "TIDEGATE_MAIL_FROM": "fleet@example.com",
        "TIDEGATE_MAIL_NAME": "Flotte Süd", "TIDEGATE_MAIL_USER": "tidegate", "TIDEGATE_MAIL_SECRET": str(secret),
        "TIDEGATE_MAIL_CA": str(authority.ca), "TIDEGATE_DELIVERY_NETWORKS": "127.0.0.0/8, ::1/128",
    })
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture
def hook(authority):
    running = Hook(authority)
    yield running
    running.stop()


def tenant(server, name):
    server.tenant(name)
    return name, server.token(name, "owner")


def outlet(server, slug, token, name, kind, settings, **more):
    answer = server.post(f"/tenants/{slug}/outlets", token, json={
        "name": name, "kind": kind, "settings": settings, "reason": "for the test", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def trial(server, slug, token, **body):
    answer = server.post(f"/tenants/{slug}/delivery/test", token, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def deliveries(server, slug, token, **query):
    answer = server.get(f"/tenants/{slug}/deliveries", token, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


# Mail


def test_mail_leaves_by_the_operators_server_over_starttls_with_a_password(sender, mail):
    slug, token = tenant(sender, "starttls")
    assert sender.get(f"/tenants/{slug}/delivery", token).json()["mail"]
    assert trial(sender, slug, token, kind="mail", to="ada@example.org") == {"delivered": True, "result": "SMTP 250"}
    [envelope] = [envelope for envelope in mail.mails if envelope.rcpt_tos == ["ada@example.org"]]
    assert envelope.mail_from == "fleet@example.com"
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert not message.defects and message["to"] == "ada@example.org" and message["from"] == "Flotte Süd <fleet@example.com>"
    assert message["date"].datetime and message["message-id"] and "can read it" in message.get_content()


def test_a_tenants_own_server_speaks_tls_from_the_first_byte_and_is_known_by_the_tenants_authority(sender, authority):
    own = MailServer(authority, how="tls")
    slug, token = tenant(sender, "implicit")
    settings = {"host": "localhost", "port": own.port, "security": "tls", "from": "ops@implicit.example"}
    outlet(sender, slug, token, "mail", "mail", settings)
    try:
        refused = trial(sender, slug, token, kind="mail", to="ada@example.org")
        assert refused == {"delivered": False, "result": "the certificate was not accepted"}
        settings["ca"] = authority.ca.read_text()
        assert sender.admin("outlet", "change", "mail", "--tenant", slug, "--settings", "-",
                            input=json.dumps(settings).encode())["settings"]["ca"]
        assert trial(sender, slug, token, kind="mail", to="ada@example.org")["delivered"]
        assert [envelope.mail_from for envelope in own.mails] == ["ops@implicit.example"]
    finally:
        own.stop()


def test_no_mail_is_sent_in_the_clear_nor_with_a_wrong_password(sender, authority, mail):
    plain = MailServer(authority, how="plain")
    slug, token = tenant(sender, "plain")
    common = {"host": "localhost", "from": "ops@plain.example", "ca": authority.ca.read_text()}
    outlet(sender, slug, token, "plain", "mail", common | {"port": plain.port, "security": "starttls"})
    outlet(sender, slug, token, "wrong", "mail", common | {"port": mail.port, "user": "tidegate"}, secret="wrong")
    try:
        assert trial(sender, slug, token, outlet="plain", to="ada@example.org") == {
            "delivered": False, "result": "the server offers no TLS"}
        assert plain.mails == []
    finally:
        plain.stop()
    assert trial(sender, slug, token, outlet="wrong", to="ada@example.org") == {
        "delivered": False, "result": "the mail server refused user and password"}


def test_a_refused_recipient_is_told_from_a_server_that_fails(sender, authority):
    slug, token = tenant(sender, "refusing")
    for answer, result in (("550 5.1.1 no such user", "SMTP 550: the mail server refused this mail"), ("451 later", "SMTP 451")):
        own = MailServer(authority, refuse=answer)
        settings = {"host": "localhost", "port": own.port, "from": "a@b.example", "ca": authority.ca.read_text()}
        outlet(sender, slug, token, f"m{answer[:3]}", "mail", settings)
        try:
            assert trial(sender, slug, token, outlet=f"m{answer[:3]}", to="ada@example.org")["result"] == result
        finally:
            own.stop()


def test_what_a_shared_server_says_about_one_recipient_pauses_nobody(sender, mail):
    alpha, token = tenant(sender, "dotless")
    tenant(sender, "bystander")
    mail.refuse = "504 5.5.2 need a fully-qualified address"
    try:
        for _ in range(6):
            assert trial(sender, alpha, token, kind="mail", to="x@nodots") == {
                "delivered": False, "result": "SMTP 504: the mail server refused this mail"}
        failed = sender.admin("delivery", "test", "--tenant", alpha, "--to", "x@nodots", check=False)
        assert failed.returncode == 1 and b"SMTP 504" in failed.stdout
    finally:
        mail.refuse = None
    sender.admin("user", "invite", "bo@example.com", "--tenant", "bystander", "--name", "Bo", "--role", "viewer")
    wait_for(lambda: [one for one in mail.mails if one.rcpt_tos == ["bo@example.com"]], "the invitation")


@pytest.mark.parametrize("to", ["ada@example.org\r\nBcc: eve@example.net", "ada@example.org>, <eve@example.net", "", "Ä@example.org"])
def test_what_would_be_more_than_one_address_is_refused(sender, to):
    slug, token = "platform", sender.token("platform", "platform-admin")
    answer = sender.post(f"/tenants/{slug}/delivery/test", token, json={"kind": "mail", "to": to})
    assert answer.status_code == 400 and answer.json()["code"] == "delivery.message"


# SMS


@pytest.mark.parametrize("form", ["json", "form"])
def test_a_text_message_leaves_by_a_gateway_as_its_template_says(sender, authority, hook, form):
    slug, token = tenant(sender, f"sms-{form}")
    settings = {"url": hook.url + "/send?key={secret}", "ca": authority.ca.read_text()}
    if form == "json":
        settings |= {"body": '{"to":"{to}","text":"{text}","ref":"{id}"}', "headers": {"Authorization": "Bearer {secret}"}}
    else:
        settings |= {"body": "To={to}&Body={text}", "contentType": "application/x-www-form-urlencoded"}
    outlet(sender, slug, token, "gateway", "sms", settings, secret="a&b=c")
    assert sender.get(f"/tenants/{slug}/delivery", token).json()["sms"]
    assert trial(sender, slug, token, kind="sms", to="+4930123456")["delivered"]
    [(method, path, headers, body)] = hook.requests
    assert method == "POST" and path == "/send?key=a%26b%3Dc"
    if form == "json":
        assert json.loads(body)["to"] == "+4930123456" and headers["Authorization"] == "Bearer a&b=c"
    else:
        assert body.startswith(b"To=%2B4930123456&Body=This%20is")


def test_a_gateways_key_goes_nowhere_else_by_a_changed_template(sender, authority, hook):
    slug, token = tenant(sender, "sealed")
    settings = {
        "url": hook.url + "/send", "body": '{"to":"{to}","text":"{text}"}', "headers": {"Authorization": "Bearer {secret}"},
        "ca": authority.ca.read_text(),
    }
    outlet(sender, slug, token, "gateway", "sms", settings, secret="TOPSECRETKEY")
    for change in ({"body": '{"to":"{to}","text":"your key is {secret}"}'}, {"url": hook.url + "/other?x={secret}"}):
        elsewhere = sender.admin("outlet", "change", "gateway", "--tenant", slug, "--settings", "-", check=False,
                                 input=json.dumps(settings | change).encode())
        assert elsewhere.returncode == 1 and b"outlet.secret" in elsewhere.stdout + elsewhere.stderr
    hook.answers += [(422, {})] * 6
    for _ in range(6):
        refused = trial(sender, slug, token, kind="sms", to="+4930123456")
        assert refused == {"delivered": False, "result": "HTTP 422: the receiver refused this message"}
    assert sender.get(f"/tenants/{slug}/outlets/gateway", token).json()["pausedUntil"] is None
    log = sender.get(f"/tenants/{slug}/audit", token).text
    assert "outlet.created" in log and "/send" not in log and "Bearer" not in log


# Webhooks


def signature(secret, headers, body):
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_what_happens_reaches_a_webhook_signed_once_and_again_until_it_is_taken(sender, authority, hook):
    slug, token = tenant(sender, "hooked")
    made = outlet(sender, slug, token, "app", "webhook", {"url": hook.url + "/hook", "events": ["device."], "ca": authority.ca.read_text()})
    hook.answers += [(503, {}), (500, {"Retry-After": "1"})]
    device = sender.post(f"/tenants/{slug}/devices", token, json={"name": "meter-1"}).json()
    wait_for(lambda: len(hook.requests) == 3, "the third attempt")
    for method, path, headers, body in hook.requests:
        assert (method, path) == ("POST", "/hook") and headers["webhook-signature"] == signature(made["secret"], headers, body)
        document = json.loads(body)
        assert document["type"] == "device.registered" and document["data"]["object"] == {"kind": "device", "id": device["id"]}
    assert len({headers["webhook-id"] for _, _, headers, _ in hook.requests}) == 1
    assert len({headers["webhook-timestamp"] for _, _, headers, _ in hook.requests}) == 3
    done = lambda: deliveries(sender, slug, token, state="delivered")
    [info] = wait_for(done, "it is noted")
    assert info["attempts"] == 3 and info["result"] == "HTTP 204" and info["event"] == "device.registered"
    assert made["secret"] not in sender.get(f"/tenants/{slug}/outlets", token).text


def test_a_kill_loses_nothing_that_was_queued(authority, own_server_of_each_engine):
    server = own_server_of_each_engine
    server.stop()
    server.environment["TIDEGATE_DELIVERY_NETWORKS"] = "127.0.0.0/8"
    server.start()
    slug, token = tenant(server, "killed")
    port = free_port()
    outlet(server, slug, token, "app", "webhook", {
        "url": f"https://127.0.0.1:{port}/", "events": ["device.registered"], "ca": authority.ca.read_text()})
    for number in range(3):
        server.post(f"/tenants/{slug}/devices", token, json={"name": f"meter-{number}"})
    queued = wait_for(lambda: len(found := deliveries(server, slug, token)) == 3 and all(one["result"] for one in found) and found, "each was tried")
    assert {one["state"] for one in queued} == {"waiting"} and {one["result"] for one in queued} == {"no connection"}
    server.stop(signal.SIGKILL)
    receiver = Hook(authority, port=port)
    server.start()
    wait_for(lambda: len(receiver.requests) == 3, "all arrive")
    assert {headers["webhook-id"] for _, _, headers, _ in receiver.requests} == {one["id"] for one in queued}
    receiver.stop()


def test_no_redirect_is_followed(sender, authority):
    slug, token = tenant(sender, "redirected")
    target, first = Hook(authority), Hook(authority, host="127.0.0.2")
    first.answers += [(302, {"Location": target.url + "/latest/meta-data"}), (307, {"Location": target.url})]
    outlet(sender, slug, token, "app", "webhook", {"url": first.url, "ca": authority.ca.read_text()})
    for status in (302, 307):
        assert trial(sender, slug, token, outlet="app") == {
            "delivered": False, "result": f"HTTP {status}: redirects are not followed"}
    assert target.requests == [] and len(first.requests) == 2
    first.stop(), target.stop()


def test_private_addresses_are_not_even_connected_to(sqlite_server, authority):
    slug, token = tenant(sqlite_server, "private")
    silence = Silence()
    for address in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254"):
        answer = sqlite_server.post(f"/tenants/{slug}/outlets", token, json={
            "name": "x", "kind": "webhook", "settings": {"url": f"https://{address}:{silence.port}/"}})
        assert answer.status_code == 400 and answer.json()["code"] == "outlet.private", answer.text
    # Names, and numbers in other spellings, are judged by what they turn out to be.
    for number, host in enumerate(("localhost", "2130706433", "0x7f.1", "127.1")):
        outlet(sqlite_server, slug, token, f"hook-{number}", "webhook", {"url": f"https://{host}:{silence.port}/"})
        assert trial(sqlite_server, slug, token, outlet=f"hook-{number}") == {
            "delivered": False, "result": "the address is private and not allowed"}
    outlet(sqlite_server, slug, token, "mail", "mail", {"host": "localhost", "port": silence.port, "from": "a@b.example"})
    assert "private" in trial(sqlite_server, slug, token, outlet="mail", to="ada@example.org")["result"]
    outlet(sqlite_server, slug, token, "siem", "syslog", {"host": "localhost", "port": silence.port})
    assert "private" in trial(sqlite_server, slug, token, outlet="siem")["result"]
    assert silence.connections == []
    silence.stop()


def test_one_tenants_dead_receiver_delays_no_other(sender, authority, hook):
    slow, slow_token = tenant(sender, "slow")
    quick, quick_token = tenant(sender, "quick")
    silence = Silence()
    outlet(sender, slow, slow_token, "dead", "webhook", {"url": f"https://127.0.0.1:{silence.port}/", "events": ["device."]})
    outlet(sender, quick, quick_token, "app", "webhook", {"url": hook.url, "events": ["device."], "ca": authority.ca.read_text()})
    for number in range(30):
        sender.post(f"/tenants/{slow}/devices", slow_token, json={"name": f"meter-{number}"})
    wait_for(lambda: silence.connections, "the dead one is being tried")
    assert sender.metric("tidegate_delivery_transfers") >= 1
    for number in range(10):
        sender.post(f"/tenants/{quick}/devices", quick_token, json={"name": f"meter-{number}"})
    wait_for(lambda: len(hook.requests) == 10, "the others arrive meanwhile", seconds=8)
    assert len(silence.connections) <= 2
    silence.stop()


# Without a mail server


def test_without_a_mail_server_it_says_so(sqlite_server):
    slug, token = tenant(sqlite_server, "without")
    overview = sqlite_server.admin("delivery", "status", "--tenant", slug)
    assert not overview["mail"] and not overview["sms"] and overview["waiting"] == 0
    answer = sqlite_server.post(f"/tenants/{slug}/delivery/test", token, json={"kind": "mail", "to": "ada@example.org"})
    assert answer.status_code == 409 and answer.json()["code"] == "delivery.noOutlet"


def test_secrets_are_in_no_answer_no_log_and_no_database(sender, authority, mail):
    slug, token = tenant(sender, "secretive")
    settings = {"host": "localhost", "port": mail.port, "from": "a@b.example", "user": "u"}
    made = outlet(sender, slug, token, "mail", "mail", settings, secret="hunter2hunter2")
    assert made["hasSecret"] and made["secret"] is None
    elsewhere = sender.admin("outlet", "change", "mail", "--tenant", slug, "--settings", "-", check=False,
                             input=json.dumps(settings | {"host": "evil.example"}).encode())
    assert elsewhere.returncode == 1 and b"outlet.secret" in elsewhere.stdout + elsewhere.stderr
    texts = [sender.get(f"/tenants/{slug}/outlets/mail", token).text, sender.get(f"/tenants/{slug}/audit", token).text, sender.log.read_text()]
    assert not any("hunter2" in text for text in texts)
    for file in sender.data.glob("tidegate.db*"):
        assert b"hunter2" not in file.read_bytes()


# Syslog


def indexes(lines):
    return [int(found[1]) for line in lines if (found := re.search(r' index="(\d+)"', line))]


def test_the_audit_streams_to_syslog_without_gap_or_double_over_outages_and_restarts(authority, own_server, tmp_path):
    own_server.stop()
    own_server.environment["TIDEGATE_DELIVERY_NETWORKS"] = "127.0.0.0/8"
    own_server.start()
    slug, token = tenant(own_server, "audited")
    receiver = Syslog(authority, tmp_path / "rsyslog")
    outlet(own_server, slug, token, "siem", "syslog", {"host": "localhost", "port": receiver.port, "ca": authority.ca.read_text()})

    def register(*numbers):
        for number in numbers:
            assert own_server.post(f"/tenants/{slug}/devices", token, json={"name": f"meter-{number}"}).status_code == 201

    def arrived(number):
        return any(f'"id":"{device(number)}"' in line for line in receiver.lines)

    def device(number):
        return own_server.get(f"/tenants/{slug}/devices/meter-{number}", token).json()["id"]

    register(*range(5))
    wait_for(lambda: arrived(4), "the fifth registration")
    receiver.stop()
    register(5, 6)
    wait_for(lambda: own_server.get(f"/tenants/{slug}/outlets/siem", token).json()["lastFailure"], "the failure is told")
    own_server.stop()
    receiver.start()
    own_server.start()
    register(7, 8)
    wait_for(lambda: arrived(8), "the last registration")
    found = indexes(receiver.lines)
    assert found == list(range(len(found))), found
    entry = next(line for line in receiver.lines if "device.registered" in line)
    assert re.match(r'<110>1 \d{4}-\d\d-\d\dT[0-9:.]+Z localhost tidegate - device\.registered \[tidegate@32473 tenant="audited" index="\d+" id="[0-9a-f]{32}"\] \{', entry)
    wait_for(lambda: any(" checkpoint [" in line for line in receiver.lines), "a signed checkpoint")
    note = json.loads(next(line for line in receiver.lines if " checkpoint [" in line).split("] ", 1)[1])["note"]
    assert len(note.splitlines()) >= 5 and note.splitlines()[-1].startswith("\u2014 ")
    receiver.stop()
