"""Registration: by mail, where nobody learns who has an account; and at once, where they do."""

from __future__ import annotations

import asyncio

import pytest

from fastforge.contrib.auth.api.mail import Occasion
from fastforge.contrib.auth.api.mail.texts import TEXTS
from fastforge.contrib.auth.library import Argon2Hasher

from .conftest import NEW, PASSWORD, Shop


async def test_whoever_reads_the_mail_chooses_the_password_and_has_proven_the_address(
    shop: Shop,
) -> None:
    assert (await shop.post("/auth/register", email="Bob@Example.org")).status_code == 202
    token = await shop.mailed_token()
    weak = await shop.post("/auth/register/confirm", token=token, password="bob@example")
    assert (weak.status_code, weak.json()["code"]) == (422, "auth.E010")
    made = await shop.post("/auth/register/confirm", token=token, password=NEW)
    assert made.status_code == 201
    assert (made.json()["login"], made.json()["scopes"]) == ("bob@example.org", [])
    assert made.json()["email_verified_at"]
    login = await shop.post("/auth/login", login="bob@example.org", password=NEW)
    assert login.status_code == 200


async def test_a_link_makes_one_account_however_often_it_is_used(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.post("/auth/register", email="bob@example.org")
    token = await shop.mailed_token()
    answers = await asyncio.gather(
        *(
            shop.post("/auth/register/confirm", token=token, password=f"{NEW}-{number}")
            for number in range(3)
        )
    )
    assert sorted(each.status_code for each in answers) == [201, 400, 400]
    monkeypatch.delattr(Argon2Hasher, "hash")
    again = await shop.post("/auth/register/confirm", token=token, password=NEW)
    assert (again.status_code, again.json()["code"]) == (400, "auth.E053")


async def test_whoever_has_an_account_is_told_by_mail_alone(shop: Shop) -> None:
    assert (await shop.post("/auth/register", email="ann@example.org")).status_code == 202
    (letter,) = await shop.letters()
    assert letter.subject == "You have an account already"
    assert letter.recipients == ("ann@example.org",)
    assert "https://" not in letter.text


def test_without_a_page_a_mail_has_the_code_itself() -> None:
    occasion = Occasion(email="bob@example.org", token="c0de", ttl_s=3 * 86400)
    text = TEXTS["registration"](occasion).text
    assert "with this code, which is good once and for 3 days:\n\nc0de" in text


@pytest.mark.parametrize("email", ["bob", "bob@", "bob@a@b.c", "bob@x.y\nBcc: eve@x.y", "bøb@x.y"])
async def test_an_address_that_nobody_can_be_written_to_is_refused(shop: Shop, email: str) -> None:
    answer = await shop.post("/auth/register", email=email)
    assert (answer.status_code, answer.json()["code"]) == (422, "auth.E014")


async def test_a_token_of_another_purpose_registers_nobody(shop: Shop) -> None:
    await shop.post("/auth/password/reset", email="ann@example.org")
    token = await shop.mailed_token()
    answer = await shop.post("/auth/register/confirm", token=token, password=NEW)
    assert (answer.status_code, answer.json()["code"]) == (400, "auth.E053")


async def test_an_open_registration_lets_in_at_once_and_tells_of_others(shop: Shop) -> None:
    made = await shop.post("/open/register", email="bob@example.org", password=PASSWORD)
    assert (made.status_code, made.json()["email_verified_at"]) == (201, None)
    login = await shop.post("/auth/login", login="bob@example.org", password=PASSWORD)
    assert login.status_code == 200
    taken = await shop.post("/open/register", email="BOB@example.org", password=PASSWORD)
    assert taken.status_code == 409
    more = await shop.post(
        "/open/register", email="eve@example.org", password=PASSWORD, is_superuser=True
    )
    assert more.status_code == 422
