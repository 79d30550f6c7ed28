"""Hashing: beside the event loop, so many at the same time, with parameters that may change."""

from __future__ import annotations

import asyncio
import threading
import unicodedata
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from fastforge import Project, Role
from fastforge.contrib.auth import AuthError, HashingBusy, PasswordHashing, PasswordRefused
from fastforge.contrib.auth.hashers import DjangoPbkdf2
from fastforge.contrib.auth.hashing import Hashing, is_usable
from fastforge.contrib.auth.resources import passwords
from fastforge.exceptions import ForgeError, StartError
from fastforge.web.errors.handlers import headers_of, status_of
from tests.folder import ProjectFolder

from .conftest import PASSWORD, settings

CHEAP = Hashing(memory_kib=8, iterations=1)


class Gate:
    """Hashing that lasts until it is let go, and counts."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.running = self.most = 0
        self.open = threading.Event()
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        with self._lock:
            self.threads.append(threading.get_ident())
            self.running += 1
            self.most = max(self.most, self.running)
        self.open.wait(60)
        with self._lock:
            self.running -= 1
        return "hash"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def project(folder: ProjectFolder) -> Project:
    folder.write({"shop/settings.py": settings()})
    return folder.load()


async def test_fifty_hashes_at_once_run_beside_the_loop_and_two_at_a_time(
    project: Project, gate: Gate
) -> None:
    async with project.running(Role.COMMAND):
        hashing = PasswordHashing(gate, threads=2, queue=100)  # type: ignore[arg-type]
        tasks = [asyncio.create_task(hashing.hash(PASSWORD)) for _ in range(50)]
        while gate.running < 2:
            await asyncio.sleep(0)  # the loop goes on while both threads are held
        gate.open.set()
        await asyncio.gather(*tasks)
    assert len(gate.threads) == 50
    assert gate.most == 2
    assert threading.get_ident() not in gate.threads


async def test_who_finds_the_queue_full_is_told_to_come_again(project: Project, gate: Gate) -> None:
    async with project.running(Role.COMMAND):
        hashing = PasswordHashing(gate, threads=1, queue=2)  # type: ignore[arg-type]
        tasks = [asyncio.create_task(hashing.hash(PASSWORD)) for _ in range(3)]
        while not gate.running:
            await asyncio.sleep(0)
        with pytest.raises(HashingBusy, match="1 passwords are being hashed and 2 wait") as caught:
            await hashing.hash(PASSWORD)
        gate.open.set()
        await asyncio.gather(*tasks)
    assert (status_of(caught.value), headers_of(caught.value)) == (503, {"Retry-After": "1"})


async def test_hashes_are_cheap_in_tests_and_as_owasp_asks_elsewhere(project: Project) -> None:
    async with project.running(Role.COMMAND) as container:
        hashed = await container[passwords].hash(PASSWORD)
    assert hashed.get_secret_value().startswith("$argon2id$v=19$m=64,t=1,p=1$")
    section = project.settings["AUTH"]
    assert section.defaults_in("production") == {
        "argon2_memory_kib": 19 * 1024,
        "argon2_iterations": 2,
    }


def test_a_hash_with_other_parameters_is_replaced() -> None:
    stored = CHEAP.hash(PASSWORD)
    assert CHEAP.verify(PASSWORD, stored).replacement is None
    found = Hashing(memory_kib=16, iterations=1).verify(PASSWORD, stored)
    assert found.is_right
    assert found.replacement is not None
    assert "m=16," in found.replacement
    assert Hashing(memory_kib=16, iterations=1).verify("wrong", stored).replacement is None


@pytest.mark.parametrize("stored", [None, "", "md5$abc"])
def test_without_a_hash_to_compare_with_one_is_worked_out(
    stored: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    count: list[str] = []
    monkeypatch.setattr(Hashing, "hash", lambda self, password: count.append(password) or "")
    assert not CHEAP.verify(PASSWORD, stored).is_right
    assert count == [PASSWORD]


def test_the_same_keys_are_the_same_password() -> None:
    composed = unicodedata.normalize("NFC", "crème-brûlée")
    stored = CHEAP.hash(composed)
    assert CHEAP.verify(unicodedata.normalize("NFD", composed), stored).is_right


@pytest.mark.parametrize("password", ["", "a\0b", "x" * 1025, "é" * 513, "\ud800half"])
async def test_what_can_be_no_password_is_never_hashed(
    project: Project, gate: Gate, password: str
) -> None:
    assert not is_usable(password)
    async with project.running(Role.COMMAND):
        hashing = PasswordHashing(gate, threads=1, queue=1)  # type: ignore[arg-type]
        with pytest.raises(PasswordRefused):
            await hashing.hash(password)
        assert not (await hashing.verify(password, SecretStr("hash"))).is_right
    assert gate.threads == []


def test_the_longest_password_is_hashed_whole() -> None:
    stored = CHEAP.hash("x" * 1023 + "a")
    assert is_usable("x" * 1024)
    assert not CHEAP.verify("x" * 1023 + "b", stored).is_right


def test_a_hash_of_django_is_read_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    # Made by: pbkdf2_hmac("sha256", b"plum-kettle-9", b"salt", 1000)
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1000))
    stored = f"pbkdf2_sha256$1000$salt${digest.decode()}"
    hashing = Hashing(memory_kib=8, iterations=1, old=[DjangoPbkdf2()])
    found = hashing.verify(PASSWORD, stored)
    assert found.is_right
    assert (found.replacement or "").startswith("$argon2id$")
    assert not hashing.verify("wrong", stored).is_right
    assert not CHEAP.verify(PASSWORD, stored).is_readable
    monkeypatch.setattr("fastforge.contrib.auth.hashers._DEFAULT_ROUNDS", 1000)
    made = DjangoPbkdf2().hash(PASSWORD)
    assert DjangoPbkdf2().verify(PASSWORD.encode(), made)


def test_an_old_hasher_that_cannot_take_a_password_finds_it_wrong() -> None:
    class Short(DjangoPbkdf2):
        def verify(self, password: str | bytes, hash: str | bytes) -> bool:
            raise ValueError("longer than 72 bytes")

    hashing = Hashing(memory_kib=8, iterations=1, old=[Short()])
    assert not hashing.verify(PASSWORD, "pbkdf2_sha256$1$salt$digest").is_right


async def test_a_process_does_not_start_with_an_old_hasher_that_is_not_there(
    folder: ProjectFolder,
) -> None:
    folder.write({"shop/settings.py": settings(auth='old_hashers=["pwdlib.hashers.bcrypt.No"]')})
    with pytest.raises(StartError, match=r"auth\.E012") as caught:
        async with folder.load().running(Role.COMMAND):
            pass
    assert "settings.py" in str(caught.value.where)


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    monkeypatch.setitem(sys.modules, "pwdlib.hashers.argon2", None)
    monkeypatch.delitem(sys.modules, "fastforge.contrib.auth.library", raising=False)
    with pytest.raises(ForgeError, match=r'pip install "fastforge-framework\[auth\]"'):
        importlib.import_module("fastforge.contrib.auth.library")


def test_errors_of_this_app_have_one_root() -> None:
    assert issubclass(PasswordRefused, AuthError)
    assert issubclass(HashingBusy, AuthError)
