"""Ways into the console in a real browser: passkeys, authenticators, text messages, recovery codes, and none of them."""

import json
import re
import time

import pytest
import requests
from playwright.sync_api import expect

from browser import check_page
from console import administrator, browser
from people import ACME, NEWCOMER, Codes, Person, authenticator, is_in, keep_codes, secret_of, sign_out
from receivers import gateway  # noqa: F401
from tidegate import Server, wait_for

@pytest.fixture(scope="module")
def server(gateway, tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"), environment={"TIDEGATE_DELIVERY_NETWORKS": "127.0.0.0/8"})
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def texting(server, gateway, administrator):
    """The administrator's organisation has an SMS gateway."""
    token = server.token(ACME, "owner")
    settings = {
        "url": gateway.url + "/send", "ca": gateway.authority.ca.read_text(), "body": '{"to":"{to}","text":"{text}"}'}
    answer = server.post(f"/tenants/{ACME}/outlets", token, json={
        "name": "texts", "kind": "sms", "settings": settings, "reason": "codes"})
    assert answer.status_code == 201, answer.text
    return gateway


def last_code(gateway, count):
    """The code in the text message with this number, counted from one."""
    sent = wait_for(lambda: len(gateway.requests) >= count and gateway.requests, "the text message is there")
    return re.match(r"([2-9A-Z]{6}) is your code", json.loads(sent[count - 1][3])["text"]).group(1)


@pytest.fixture(scope="module")
def ask(server, administrator):
    """Lets the organisation ask everybody for a factor of this level."""
    token = server.token(ACME, "admin")

    def change(level):
        answer = requests.put(
            f"{server.people_url}/api/v1/tenants/{ACME}/factor-policy", json={"level": level, "reason": "a test"},
            headers={"Authorization": f"Bearer {token}"}, verify=str(server.ca), timeout=10)
        assert answer.status_code == 200, answer.text

    return change


@pytest.fixture
def demand(ask):
    """The same for one test; afterwards only what people have set up is asked for."""
    yield ask
    ask("none")


def test_an_invitation_leads_to_a_password_and_into_the_console(server, browser, administrator):
    ann = Person(server, "ann")
    page = browser.page()
    page.goto(ann.invitation)
    expect(page.get_by_text("Your account is ann@example.com.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("short")
    expect(page.locator("#rules .warning").first).to_be_visible()
    ann.accept(page)
    is_in(page)
    sign_out(page)
    ann.sign_in(page, f"/t/{ACME}/devices")
    expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    # It works once.
    page.goto(ann.invitation)
    expect(page.get_by_text("This link is wrong, used or too old.")).to_be_visible()
    browser.errors.clear()
    page.context.close()


@pytest.fixture(scope="module")
def bea(server, browser, ask):
    """Somebody whose authenticator was demanded and set up at the first sign-in."""
    ask("any")
    person = Person(server, "bea")
    page = browser.page()
    person.accept(page)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    page.get_by_role("button", name="Authenticator").click()
    picture = page.get_by_alt_text("QR code with the secret below")
    wait_for(lambda: picture.evaluate("image => image.complete && image.naturalWidth > 0"), "the picture is drawn")
    person.codes = Codes(secret_of(page))
    page.get_by_label("The code that it shows now").fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("That is wrong")
    assert secret_of(page) == person.codes.program.secret
    page.get_by_label("The code that it shows now").fill(person.codes.next())
    page.get_by_role("button", name="Go on").click()
    person.recovery = keep_codes(page)
    is_in(page)
    browser.errors.clear()
    page.context.close()
    ask("none")
    return person


def test_somebody_signs_in_with_an_authenticator_by_keyboard_alone(browser, bea):
    page = browser.page()
    page.goto(f"/t/{ACME}/devices")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(bea.address)
    page.keyboard.press("Tab")
    page.keyboard.type(NEWCOMER)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert "tg_pending" not in page.url
    expect(page.get_by_label("Code from your authenticator")).to_be_focused()
    page.keyboard.type(bea.codes.next())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    page.context.close()


def test_wrong_codes_make_one_wait_and_a_recovery_code_helps_once(browser, bea):
    page = browser.page()
    bea.sign_in(page)
    for _ in range(3):
        page.get_by_label("Code from your authenticator").fill("000000")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("alert")).to_contain_text("That is wrong")
    page.get_by_label("Code from your authenticator").fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("Too many wrong tries")
    page.get_by_role("button", name="Recovery code").click()
    page.get_by_label("Recovery code").fill(bea.recovery[0].lower().replace("-", " "))
    page.get_by_role("button", name="Go on").click()
    is_in(page)
    sign_out(page)
    bea.sign_in(page)
    page.get_by_role("button", name="Recovery code").click()
    page.get_by_label("Recovery code").fill(bea.recovery[0])
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("That is wrong, was used before or has expired")
    browser.errors.clear()
    page.context.close()


def test_a_passkey_is_set_up_on_the_way_in_and_then_signs_in_alone(server, browser, demand):
    cleo = Person(server, "cleo")
    demand("passkey")
    page = browser.page()
    devtools = authenticator(page)
    cleo.accept(page)
    # A code would not be enough here, so none is offered.
    expect(page.get_by_role("button", name="Authenticator")).to_have_count(0)
    page.get_by_role("button", name="Passkey").click()
    page.get_by_label("What to call it").fill("Laptop")
    page.get_by_role("button", name="Make the passkey").click()
    keep_codes(page)
    is_in(page)
    sign_out(page)
    cleo.sign_in(page)
    page.get_by_role("button", name="Use my passkey").click()
    is_in(page)
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    is_in(page)
    sign_out(page)
    # Nobody touches it: the browser gives up, and the page says what else there is.
    [found] = devtools.send("WebAuthn.getCredentials", {"authenticatorId": devtools.id})["credentials"]
    devtools.send("WebAuthn.removeCredential", {"authenticatorId": devtools.id, "credentialId": found["credentialId"]})
    cleo.sign_in(page)
    page.get_by_role("button", name="Use my passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was given. Try again, or use another method.")
    page.get_by_role("button", name="Recovery code").click()
    expect(page.get_by_label("Recovery code")).to_be_focused()
    page.context.close()


def test_passkeys_say_where_they_work_and_what_a_certificate_warning_does_to_them(server, browser, demand):
    dora = Person(server, "dora")
    demand("passkey")
    page = browser.page()
    dora.accept(page)
    page.goto(server.people_url.replace("localhost", "127.0.0.1") + "/sign-in")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    dora.sign_in(page, server.people_url.replace("localhost", "127.0.0.1") + "/sign-in")
    page.get_by_role("button", name="Passkey").click()
    expect(page.get_by_role("link", name=server.people_url)).to_be_visible()
    page.context.close()
    # Chromium shows its warning to people only; this is what it tells the page of somebody who has gone on.
    page = browser.page()
    page.add_init_script("""navigator.credentials.create = () => Promise.reject(new DOMException(
        "WebAuthn is not supported on sites with TLS certificate errors.", "NotAllowedError"))""")
    dora.sign_in(page)
    page.get_by_role("button", name="Passkey").click()
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("does not trust this server's certificate")
    page.get_by_role("link", name="Certificate warnings explained").click()
    expect(page.get_by_role("heading", name="Certificate warnings")).to_be_visible()
    page.context.close()


def test_whose_session_a_raised_demand_ends_is_told_and_nobody_else(server, browser, demand):
    demand("none")
    gil = Person(server, "gil")
    page = browser.page()
    gil.accept(page)
    is_in(page)
    demand("any")
    page.goto(f"/t/{ACME}/devices")
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_text("your organisation asks for more at sign-in now")).to_be_visible()
    check_page(browser, "/sign-in", "sign-in-ended", page.context.storage_state())
    stranger = browser.page()
    stranger.goto(f"/sign-in?next=/t/{ACME}/devices")
    expect(stranger.get_by_text("asks for more")).to_have_count(0)
    stranger.context.close()
    page.get_by_label("E-mail address").fill(gil.address)
    page.get_by_label("Password", exact=True).fill(NEWCOMER)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    page.context.close()


def test_a_code_by_text_message_is_sent_typed_and_not_sent_again_at_once(server, browser, texting, demand):
    eve = Person(server, "eve")
    demand("any")
    page = browser.page()
    eve.accept(page)
    page.get_by_role("button", name=re.compile("^Telephone")).click()
    expect(page.get_by_text("is the weakest factor")).to_be_visible()
    page.get_by_label("Number").fill("0151 234")
    page.get_by_role("button", name="Send a code").click()
    expect(page.get_by_role("alert")).to_contain_text("as the whole world dials it")
    expect(page.get_by_label("Number")).to_have_value("0151 234")
    before = len(texting.requests)
    page.get_by_label("Number").fill("+49 151 23456789")
    page.get_by_role("button", name="Send a code").click()
    expect(page.get_by_role("status")).to_contain_text("the number that ends in 789")
    expect(page.locator("[data-left]")).to_have_text(re.compile(r"1 minute \d+ seconds"))
    expect(page.get_by_role("button", name=re.compile("Send another code in"))).to_be_disabled()
    page.get_by_label("Code from the text message").fill(last_code(texting, before + 1).lower())
    page.get_by_role("button", name="Go on").click()
    keep_codes(page)
    is_in(page)
    sign_out(page)
    # A code was sent a moment ago, so the next one waits; the page says for how long, and takes what is typed.
    eve.sign_in(page)
    page.get_by_role("button", name="Send a code to the number that ends in 789").click()
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"Another one can be sent in \d+ seconds?"))
    expect(page.get_by_label("Code from the text message")).to_be_visible()
    browser.errors.clear()
    page.context.close()


def test_a_second_factor_works_without_script(server, browser, demand):
    finn = Person(server, "finn")
    demand("code")
    page = browser.context(java_script_enabled=False).new_page()
    finn.accept(page)
    page.get_by_role("button", name="Passkey").click()
    expect(page.get_by_text("A passkey needs JavaScript")).to_be_visible()
    page.get_by_role("button", name="Choose another method").click()
    page.get_by_role("button", name="Authenticator").click()
    codes = Codes(secret_of(page))
    page.get_by_label("The code that it shows now").fill(codes.next())
    page.get_by_role("button", name="Go on").click()
    keep_codes(page)
    is_in(page)
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Sign out").click()
    finn.sign_in(page)
    page.get_by_label("Code from your authenticator").fill(codes.next())
    page.get_by_role("button", name="Go on").click()
    is_in(page)
    page.context.close()


def test_a_session_ends_under_ones_hands(server, browser, administrator):
    gus = Person(server, "gus")
    page = browser.page()
    gus.accept(page)
    is_in(page)
    expect(page.locator("#live")).to_have_text("Live")
    server.admin("user", "disable", gus.address, "--tenant", ACME)
    began = time.monotonic()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert time.monotonic() - began < 10, "the open page goes to the sign-in at once"
    # Back in the sign-in, nothing tells that the account is disabled.
    gus.sign_in(page)
    expect(page.get_by_role("alert")).to_contain_text("The address or the password is wrong")
    browser.errors.clear()
    page.context.close()


def step_to_proof(person):
    return lambda page: (person.sign_in(page), expect(page.get_by_role("heading", name="One more step")).to_be_visible())


def test_the_pages_of_the_second_step_have_no_accessibility_violation(server, browser, bea, demand):
    check_page(browser, "/sign-in", "factor", prepare=step_to_proof(bea))
    hal = Person(server, "hal")
    demand("any")
    page = browser.page()
    hal.accept(page)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    page.context.close()

    def to(method):
        def walk(page):
            hal.sign_in(page)
            expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
            if method:
                page.get_by_role("button", name=re.compile("^" + method)).click()
                expect(page.get_by_role("button", name="Choose another method")).to_be_visible()
        return walk

    for name, method in [("choice", None), ("passkey", "Passkey"), ("authenticator", "Authenticator"), ("telephone", "Telephone")]:
        check_page(browser, "/sign-in", f"enrol-{name}", prepare=to(method))
