"""The journey of an update that is bad: Debian's swupdate on each device, a campaign in steps, one open page, one mail."""

import email
import email.policy

import pytest
from console import administrator, browser  # noqa: F401 (fixtures)
from playwright.sync_api import expect
from receivers import MailServer
from test_swupdate import HARDWARE, Signer, SWUpdate  # noqa: F401
from tidegate import Server, wait_for

TENANT = ("--tenant", "acme-water")


@pytest.fixture(scope="module")
def mail(authority):
    running = MailServer(authority)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(authority, mail, tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"), environment={
        "TIDEGATE_MAIL_SERVER": f"localhost:{mail.port}", "TIDEGATE_MAIL_FROM": "fleet@example.com",
        "TIDEGATE_MAIL_CA": str(authority.ca), "TIDEGATE_DELIVERY_NETWORKS": "127.0.0.0/8, ::1/128",
    })
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture
def devices(server, administrator, tmp_path):  # noqa: F811
    server.admin("heartbeat", "set", *TENANT, "--interval", "1", "--busy", "1", "--jitter", "0")
    trusted = Signer(tmp_path, "updates")
    running = [SWUpdate(server.enrolled("acme-water", f"gw-{number}"), trusted) for number in range(4)]
    for one in running:
        one.start()
    yield running
    for one in running:
        one.stop()
        print(one.log.read_text(errors="replace")[-2000:])


def test_a_bad_update_stops_by_itself_on_an_open_page_and_with_a_mail(
        server, mail, devices, browser, administrator, tmp_path):  # noqa: F811
    server.admin("alert-rule", "create", "updates", *TENANT, "--mail", "ops@example.com", "--wait", "20")
    # Signed, and not by whom the devices trust: what a stolen or forgotten key brings.
    forged = Signer(tmp_path, "somebody-else").package(tmp_path / "forged", b"bad", devices[0].target)
    artifact = server.admin("artifact", "upload", forged, *TENANT)["id"]
    release = server.admin("release", "create", "system", "2.0", "--artifact", artifact, "--publish", *TENANT)["id"]
    page = browser.page(browser.context(storage_state=administrator))
    made = server.admin(
        "campaign", "create", release, "--all", "--group", "50", "--group", "50", "--error", "50", "--sample", "2",
        "--title", "Bad edition", *TENANT)
    page.goto(f"/t/acme-water/firmware/campaigns/{made['id']}")
    expect(page.locator("#live")).to_have_text("Live")
    # Nobody loads the page again.
    expect(page.get_by_text("Paused by itself", exact=True)).to_be_visible(timeout=120_000)
    expect(page.locator("ol.rows > li").nth(0)).to_contain_text("2 failed")
    now = server.admin("campaign", "show", made["id"], *TENANT)
    assert now["state"] == "paused" and now["reason"] == "errorThreshold" and now["reasonGroup"] == 1
    assert [group["tasks"] for group in now["groups"]] == [{"failed": 2}, {}], "the others were spared"
    assert not any(one.target.exists() for one in devices)

    def told():
        messages = [email.message_from_bytes(one.content, policy=email.policy.default) for one in mail.mails]
        return [message for message in messages if "Bad edition" in message["Subject"]]

    [message] = wait_for(told, "one mail says so", 60)
    assert "Bad edition: the campaign paused by itself" in message["Subject"]
    assert message["To"] == "ops@example.com"
    assert f"/t/acme-water/firmware/campaigns/{made['id']}" in message.get_content() or "/alerts/" in message.get_content()
    page.screenshot(path=str(tmp_path / "paused.png"))
    page.context.close()
