"""A lost password and an address to be verified: what is mailed to whom, and what others learn."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from fastforge.checks import run_checks
from fastforge.contrib.auth.api.mail import account_mail
from fastforge.exceptions import ComponentError, ForgeError
from tests.folder import ProjectFolder

from .conftest import NEW, PASSWORD, Shop


async def reset(shop: Shop, token: str, password: str = NEW) -> httpx.Response:
    return await shop.post("/auth/password/reset/confirm", token=token, password=password)


async def test_a_lost_password_is_replaced_by_a_link_and_every_login_ends(shop: Shop) -> None:
    before = await shop.log_in()
    assert (await shop.me(before["access_token"])).status_code == 200
    asked = await shop.post("/auth/password/reset", email=" ANN@Example.org")
    assert (asked.status_code, asked.json()["detail"]) == (
        202,
        "If the address is right, a mail is on its way.",
    )
    (letter,) = await shop.letters()
    assert letter.recipients == ("ann@example.org",)
    assert "your account at Shop" in letter.text
    assert "good once and for 1 hour" in letter.text
    link = next(each for each in letter.text.split() if each.startswith("https://"))
    page, _, token = link.partition("#")
    assert page == "https://shop.example.org/reset"
    assert (await reset(shop, token)).status_code == 204
    (notice,) = await shop.letters()
    # The project says this one in its own words.
    assert (notice.subject, notice.text.strip()) == (
        "Neues Passwort",
        "ann@example.org hat eines",
    )
    assert (await shop.me(before["access_token"])).status_code == 401
    refreshed = await shop.post("/auth/refresh", refresh_token=before["refresh_token"])
    assert refreshed.status_code == 401
    await shop.log_in(NEW)
    again = await reset(shop, token, PASSWORD)
    assert (again.status_code, again.json()["code"]) == (400, "auth.E053")


async def test_the_host_of_a_request_is_in_no_link(shop: Shop) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    body = {"email": "ann@example.org"}
    asked = await shop.http.post("/auth/password/reset", json=body, headers=headers)
    assert asked.status_code == 202
    (letter,) = await shop.letters()
    assert "evil" not in letter.content


@pytest.mark.parametrize("path", ["/auth/password/reset", "/auth/email/verify", "/auth/register"])
async def test_nobody_learns_who_has_an_account(shop: Shop, path: str) -> None:
    """The same answer, and the same one job, which alone looks anybody up."""
    answers = []
    for email in ("ann@example.org", "bob@example.org"):
        answers.append(await shop.post(path, email=email))
        assert len(await shop.jobs.enqueued()) == 1
        await shop.letters()
    known, unknown = answers
    assert known.status_code == unknown.status_code == 202
    assert known.content == unknown.content
    ids = {"x-request-id", "date"}
    told = [{k: v for k, v in each.headers.items() if k not in ids} for each in answers]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "change", ["is_active = 0", "password_hash = NULL"], ids=["inactive", "no password"]
)
async def test_nobody_is_mailed_who_could_not_log_in(shop: Shop, change: str) -> None:
    shop.change(change)
    assert (await shop.post("/auth/password/reset", email="ann@example.org")).status_code == 202
    assert await shop.letters() == []


async def test_a_mailbox_is_not_flooded(shop: Shop) -> None:
    for email in ("ann@example.org", "ANN@example.org", " ann@example.org"):
        assert (await shop.post("/auth/password/reset", email=email)).status_code == 202
    assert len(await shop.letters()) == 1
    await shop.jobs.let_pass(timedelta(seconds=61))
    await shop.post("/auth/password/reset", email="ann@example.org")
    assert len(await shop.letters()) == 1


async def test_what_can_be_no_address_makes_no_job(shop: Shop) -> None:
    assert (await shop.post("/auth/password/reset", email="ann\0@x.y")).status_code == 202
    assert await shop.jobs.enqueued() == []
    assert (await shop.post("/auth/password/reset", email="a" * 300)).status_code == 422


async def test_an_address_is_verified_by_its_mail_once(shop: Shop) -> None:
    shop.change("email_verified_at = NULL")
    assert (await shop.post("/auth/email/verify", email="ann@example.org")).status_code == 202
    token = await shop.mailed_token()
    done = [await shop.post("/auth/email/verify/confirm", token=token) for _ in range(2)]
    assert [each.status_code for each in done] == [204, 400]


async def test_whoever_has_proven_the_address_is_mailed_nothing(shop: Shop) -> None:
    assert (await shop.post("/auth/email/verify", email="ann@example.org")).status_code == 202
    assert await shop.letters() == []


async def test_an_old_mail_is_void_after_the_address_was_changed(shop: Shop) -> None:
    await shop.post("/auth/password/reset", email="ann@example.org")
    token = await shop.mailed_token()
    shop.change("email = 'anna@example.org'")
    assert (await reset(shop, token)).status_code == 400


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("/reset#{token}", "the whole address"),
        ("https://{token}.example.org/", "once, where the page reads it"),
        ("https://shop.example.org/reset", "once, where the page reads it"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(folder: ProjectFolder, url: str, told: str) -> None:
    text = (folder.path / "shop/settings.py").read_text()
    text = text.replace("https://shop.example.org/reset#{token}", url)
    folder.write({"shop/settings.py": text})
    with pytest.raises(ForgeError, match=told):
        folder.load()


def test_a_mail_has_to_be_a_plain_function() -> None:
    async def later(occasion: object) -> object:
        return occasion

    with pytest.raises(ComponentError, match=r"auth\.E056.*no plain function"):
        account_mail("verification")(later)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", ""),
        ("https://shop.example.org/reset", "http://shop.example.org/reset", "reset_url without"),
        (
            'verification_url="https://shop.example.org/verify#{token}"',
            'verification_url=""',
            "verification_url not",
        ),
        (
            'registration_url="https://shop.example.org/new#{token}"',
            'registration_url=""',
            "registration_url not",
        ),
    ],
)
def test_a_link_that_is_none_or_is_read_on_the_way_is_told_of(
    folder: ProjectFolder, old: str, new: str, told: str
) -> None:
    text = (folder.path / "shop/settings.py").read_text()
    assert old in text
    folder.write({"shop/settings.py": text.replace(old, new)})
    messages = run_checks(folder.load(), deploy=True).messages
    found = [str(each) for each in messages if each.id == "auth.W009"]
    assert bool(found) is bool(told)
    assert all(told in each for each in found)


@pytest.mark.parametrize("has_guard", [True, False])
def test_logins_that_nobody_limits_are_told_of(folder: ProjectFolder, has_guard: bool) -> None:
    if not has_guard:
        (folder.path / "shop/login_guards.py").unlink()
    messages = run_checks(folder.load(), deploy=True).messages
    assert ("auth.W008" in [each.id for each in messages]) is not has_guard


@pytest.mark.parametrize("has_sender", [True, False])
def test_mails_that_nobody_sends_are_told_of(folder: ProjectFolder, has_sender: bool) -> None:
    if not has_sender:
        text = (folder.path / "shop/settings.py").read_text()
        folder.write({"shop/settings.py": text.replace('from_address="shop@example.org"', "")})
    messages = run_checks(folder.load()).messages
    assert ("auth.W010" in [each.id for each in messages]) is not has_sender
