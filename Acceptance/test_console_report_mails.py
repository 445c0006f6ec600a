"""Reports by mail in a real browser: one is ordered, sent, taken by an unmodified mail server, and ended."""

import email
import email.policy

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import administrator, browser
from receivers import mail  # noqa: F401
from tidegate import Server, wait_for


@pytest.fixture(scope="module")
def server(mail, tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"), environment={
        "TIDEGATE_MAIL_SERVER": f"localhost:{mail.port}", "TIDEGATE_MAIL_FROM": "fleet@example.com",
        "TIDEGATE_MAIL_CA": str(mail.authority.ca), "TIDEGATE_DELIVERY_NETWORKS": "127.0.0.0/8, ::1/128",
    })
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


def test_a_report_is_ordered_sent_and_ended(server, browser, administrator, mail):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water/reports/access")
    page.get_by_role("link", name="By mail").click()
    page.get_by_label("Report", exact=True).select_option("access")
    page.get_by_label("How often").select_option("weekly")
    page.get_by_role("button", name="Order").click()
    expect(page.get_by_text("every Monday, to ada@example.com")).to_be_visible()
    page.get_by_role("button", name="Send Access review to ada@example.com now").click()
    expect(page.get_by_text("The report is on its way.")).to_be_visible()

    def arrived():
        for envelope in mail.mails:
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            if message["subject"] == "Access review of Acme Water":
                return message
        return None

    message = wait_for(arrived, "the report arrives")
    assert "/t/acme-water/reports/access" in message.get_body().get_content()
    [file] = message.iter_attachments()
    assert file.get_filename() == "acme-water-access.csv" and "ada@example.com" in file.get_content()
    page.context.close()
    check_page(browser, "/t/acme-water/reports/mails", "report-mails", administrator)
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water/reports/mails")
    page.get_by_role("button", name="End Access review to ada@example.com", exact=True).click()
    expect(page.get_by_text("None is ordered yet")).to_be_visible()
    page.context.close()
