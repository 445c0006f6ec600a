"""Links to people go by mail where there is a mail server: an invitation, and a forgotten password, to their end."""

import email
import email.policy
import re

import pytest
from playwright.sync_api import expect

from browser import Browser
from console import PASSWORD
from receivers import mail  # noqa: F401
from tidegate import Server, wait_for


@pytest.fixture(scope="module")
def server(mail, tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"), environment={
        "TIDEGATE_MAIL_SERVER": f"localhost:{mail.port}", "TIDEGATE_MAIL_FROM": "fleet@example.com",
        "TIDEGATE_MAIL_CA": str(mail.authority.ca),
    })
    running.tenant("acme")
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def browser(server, tmp_path_factory):
    chromium = Browser(server, tmp_path_factory.mktemp("browser"))
    yield chromium
    chromium.close()


def link_in(mail, number, path):
    """The link of the mail of this number; the mail goes to one person and holds one link."""
    wait_for(lambda: len(mail.mails) > number, "the mail")
    message = email.message_from_bytes(mail.mails[number].content, policy=email.policy.default)
    assert mail.mails[number].rcpt_tos == ["ann@example.com"] and message["to"] == "ann@example.com"
    [link] = re.findall(r"https://\S+", message.get_content())
    assert re.fullmatch(rf"https://localhost:\d+/{path}\?link=tg_[a-z]+_\w+", link), link
    return link


def test_an_invitation_comes_by_mail_and_leads_to_the_fleet(server, browser, mail):
    made = server.admin("user", "invite", "ann@example.com", "--tenant", "acme", "--role", "operator")
    assert made["link"] is None
    link = link_in(mail, 0, "invitation")
    assert link.split("=")[1] not in server.log.read_text()
    page = browser.page()
    page.goto(link)
    expect(page.get_by_role("heading", name="You are invited")).to_be_visible()
    page.get_by_label("Your name").fill("Ann Example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Accept and sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.context.close()
    page = browser.page()
    assert page.goto(link).status == 404, "a link works once"
    page.context.close()


def test_a_forgotten_password_is_replaced_by_a_link_in_a_mail(server, browser, mail):
    page = browser.page()
    for address in ("nobody@example.com", "ann@example.com"):
        page.goto("/forgotten")
        page.get_by_label("E-mail address").fill(address)
        page.get_by_role("button", name="Send a link").click()
        expect(page.get_by_text("If there is such an account, a link is on its way.")).to_be_visible()
    page.goto(link_in(mail, 1, "new-password"))
    page.get_by_label("Password").fill(PASSWORD + " and more")
    page.get_by_role("button", name="Set the password and sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.context.close()
    # Whoever has no account has no mail; whoever has one is told that the password changed.
    wait_for(lambda: len(mail.mails) == 3, "the notice")
    assert [mail.rcpt_tos for mail in mail.mails] == [["ann@example.com"]] * 3 and b"link=" not in mail.mails[2].content
