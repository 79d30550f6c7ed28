"""What is signed is known again for its purpose alone, for its time, and by old keys too."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge.conf import Settings
from fastforge.core.checks.keys import secret_key_is_not_in_the_code
from fastforge.exceptions import ErrorGroup, SettingsError
from fastforge.signing import (
    BadSignature,
    Keys,
    SignatureExpired,
    Signer,
    SigningError,
    clock,
    now_s,
)
from fastforge.web.errors.handlers import status_of
from tests.folder import ProjectFolder, isolated

OLD = "old-9fK2mX7qR4tW1zB6nC8vJ3hL5pD0sGyA"
NEW = "new-Q1w8E5r2T9y6U3i0O7p4A1s8D5f2G9hJ"
READS = """
    from fastforge.conf import env

    SECRET_KEY = env.secret("SECRET_KEY", default="")
    SECRET_KEY_FALLBACKS = env.secret("SECRET_KEY_FALLBACKS", default="")
    """


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": READS})
        yield folder


def settings(folder: ProjectFolder, key: str = NEW, fallbacks: str = "") -> Settings:
    variables = {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": fallbacks}
    return folder.load({"FASTFORGE_ENV": "test", **variables}).settings


@pytest.fixture
def signer(folder: ProjectFolder) -> Signer:
    return Signer.of(settings(folder), "shop.links")


@pytest.mark.parametrize("payload", [None, 7, "ä ☃", [1, [2]], {"a": {"b": [True, None]}}])
def test_what_is_sealed_opens_and_stands_in_a_url(signer: Signer, payload: Any) -> None:
    text = signer.seal(payload, ttl_s=60)
    assert signer.open(text) == payload
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_what_is_sealed_for_one_purpose_does_not_open_for_another(folder: ProjectFolder) -> None:
    here = settings(folder)
    text = Signer.of(here, "shop.links").seal(7, ttl_s=60)
    with pytest.raises(BadSignature):
        Signer.of(here, "shop.links2").open(text)


def test_any_change_of_a_text_is_seen(signer: Signer) -> None:
    """One character anywhere, the last one too, whose bits are not all part of the signature."""
    text = signer.seal({"reader": 7}, ttl_s=60)
    for index, character in enumerate(text):
        for other in "AQgwB_.":
            if other != character:
                with pytest.raises(BadSignature):
                    signer.open(text[:index] + other + text[index + 1 :])


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b", "☃.☃", "\ud800", "a" * 100_000, "=.=", "e30.", "a.b.c", "\x00"]
)
def test_what_was_never_sealed_is_a_bad_signature_and_nothing_else(
    signer: Signer, text: str
) -> None:
    with pytest.raises(BadSignature) as caught:
        signer.open(text)
    assert caught.value.code == "signing.E002"
    assert status_of(caught.value) == 400


def test_more_behind_a_text_is_seen(signer: Signer) -> None:
    text = signer.seal(7, ttl_s=60)
    for more in (text + "=", text + ".", text + " ", text + "\n", " " + text, text + ".a"):
        with pytest.raises(BadSignature):
            signer.open(more)


def test_a_payload_that_was_exchanged_is_seen(signer: Signer) -> None:
    body = json.dumps([now_s() + 60, {"admin": True}]).encode()
    forged = urlsafe_b64encode(body).rstrip(b"=").decode()
    with pytest.raises(BadSignature):
        signer.open(f"{forged}.{signer.seal(1, ttl_s=60).partition('.')[2]}")


def test_a_text_opens_no_longer_than_it_was_sealed_for(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = signer.seal(7, ttl_s=60)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(SignatureExpired) as caught:
        signer.open(text)
    assert caught.value.code == "signing.E003"


def test_what_is_sealed_for_no_time_does_not_open(signer: Signer) -> None:
    for _ in range(100):
        with pytest.raises(SignatureExpired):
            signer.open(signer.seal(7, ttl_s=0))


def test_a_clock_that_is_set_back_gives_no_time(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour back, just before the end: the end comes when it would have come."""
    text = signer.seal(7, ttl_s=60)
    wall, steady = time.time, time.monotonic
    monkeypatch.setattr(time, "time", lambda: wall() - 3600)
    assert signer.open(text) == 7
    monkeypatch.setattr(time, "monotonic", lambda: steady() + 61)
    with pytest.raises(SignatureExpired):
        signer.open(text)


def test_a_clock_that_is_set_back_is_told_once_and_a_small_correction_is_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock._tell.cache_clear()
    wall, before = time.time, now_s()
    for back_s, told in ((1, 0), (3600, 1), (7200, 1)):
        monkeypatch.setattr(time, "time", lambda back_s=back_s: wall() - back_s)
        assert now_s() >= before
        assert caplog.text.count("was set back") == told
    clock._tell.cache_clear()


def test_what_an_old_key_signed_opens_while_it_is_a_fallback(folder: ProjectFolder) -> None:
    text = Signer.of(settings(folder, OLD), "shop.links").seal(7, ttl_s=60)
    rotated = Signer.of(settings(folder, NEW, OLD), "shop.links")
    assert rotated.open(text) == 7
    with pytest.raises(BadSignature):
        Signer.of(settings(folder, NEW), "shop.links").open(text)
    newer = rotated.seal(8, ttl_s=60)
    assert Signer.of(settings(folder, NEW), "shop.links").open(newer) == 8


def test_without_a_key_nothing_is_signed(folder: ProjectFolder) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY is not set, and shop.links") as caught:
        Signer.of(settings(folder, ""), "shop.links")
    assert caught.value.code == "signing.E001"


@pytest.mark.parametrize("payload", [{1, 2}, float("nan"), object(), b"bytes"])
def test_what_json_cannot_write_is_refused(signer: Signer, payload: Any) -> None:
    with pytest.raises(SigningError) as caught:
        signer.seal(payload, ttl_s=60)
    assert caught.value.code == "signing.E004"


def test_keys_sign_bytes_for_one_purpose(folder: ProjectFolder) -> None:
    here = settings(folder, NEW, OLD)
    keys, others = Keys.of(here, "shop.a"), Keys.of(here, "shop.b")
    mac = keys.sign(b"data")
    assert len(mac) == 32 and len(keys.all) == 2 and keys.newest == keys.all[0]
    assert keys.verify(b"data", mac) and not keys.verify(b"date", mac)
    assert not others.verify(b"data", mac) and not keys.verify(b"data", b"")
    assert Keys.of(settings(folder, OLD), "shop.a").newest == keys.all[1]
    assert keys.newest.hex() not in repr(keys) and NEW not in repr(keys)


@pytest.mark.parametrize("text", [f"{OLD},{NEW}", f"{OLD}\n{NEW}\n", f" {OLD} , {NEW},"])
def test_old_keys_stand_in_one_variable(folder: ProjectFolder, text: str) -> None:
    assert settings(folder, NEW, text)["SECRET_KEY_FALLBACKS"] == [OLD, NEW]


def test_an_empty_old_key_is_refused(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": "SECRET_KEY_FALLBACKS = ['']\n"})
    with pytest.raises(ErrorGroup, match="an empty key signs nothing"):
        folder.load()


def test_old_keys_in_the_code_are_told_of(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": f"SECRET_KEY_FALLBACKS = [{OLD!r}]\n"})
    rows = secret_key_is_not_in_the_code.function(folder.load())
    assert isinstance(rows, Iterable)
    found = [*rows]
    assert [each.id for each in found] == ["core.W004"]
    assert "SECRET_KEY_FALLBACKS stands in the settings" in found[0].text
