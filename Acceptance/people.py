"""People of the console's tests: their accounts, their factors, and how they come and go."""

import re
import time

import pyotp
from playwright.sync_api import expect

from tidegate import wait_for

ACME = "acme-water"
NEWCOMER = "quiet harbour of nine lanterns"


class Person:
    """Somebody with an account in the administrator's organisation, made by an invitation."""

    def __init__(self, server, name, role="viewer"):
        self.server, self.address = server, f"{name}@example.com"
        answer = server.admin("user", "invite", self.address, "--name", name.title(), "--tenant", ACME, "--role", role)
        self.invitation = answer["link"]["url"]

    def accept(self, page):
        page.goto(self.invitation)
        page.get_by_label("Password", exact=True).fill(NEWCOMER)
        expect(page.locator("#rules .warning")).to_have_count(0)
        page.get_by_role("button", name="Accept and sign in").click()

    def sign_in(self, page, place="/sign-in"):
        page.goto(place)
        page.get_by_label("E-mail address").fill(self.address)
        page.get_by_label("Password", exact=True).fill(NEWCOMER)
        page.get_by_role("button", name="Sign in", exact=True).click()


def authenticator(page):
    """A virtual authenticator with a checked holder, in this page's browser; answers the session that speaks to it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.id = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True}})["authenticatorId"]
    return devtools


def sign_out(page):
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def is_in(page):
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def secret_of(page):
    return page.locator("#secret").inner_text().replace(" ", "")


def keep_codes(page):
    codes = re.findall(r"^[2-9A-Z]{4}(?:-[2-9A-Z]{4}){5}$", page.locator("#codes").inner_text(), re.M)
    assert len(codes) == 10
    page.get_by_role("button", name="I have kept them").click()
    return codes


class Codes:
    """An authenticator program that never shows a code twice, as somebody who waits for the next one."""

    def __init__(self, secret):
        self.program, self.shown = pyotp.TOTP(secret), 0

    def next(self):
        step = max(int(time.time()) // 30, self.shown + 1)
        # The server takes the neighbouring steps, too; further ahead only waiting helps.
        wait_for(lambda: step <= int(time.time()) // 30 + 1, "the next code", 40)
        self.shown = step
        return self.program.generate_otp(step)
