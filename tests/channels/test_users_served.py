"""Who may not be here any more is told so, in whichever process their sockets are."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.commanding import outcomes

from .serving import LIMIT_S, Client, project, served

SETTINGS = """
    from fastforge.contrib.db import Database
    from fastforge.contrib.redis import Redis

    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.auth", "fastforge.contrib.auth.default_user",
        "fastforge.contrib.redis", *INSTALLED_APPS,
    ]
    DATABASES = {{"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}}
    REDIS = Redis(url={url!r})
"""
ROUTES = """
    from fastapi import APIRouter

    from fastforge.contrib.auth import find_user, issue, revoke_user
    from fastforge.contrib.db import DbSession

    router = APIRouter()

    @router.get("/ready")
    async def ready() -> None: ...

    @router.post("/token")
    async def token(login: str, db: DbSession) -> str:
        return (await issue(db, await find_user(db, login))).access_token

    @router.post("/revoke")
    async def revoke(login: str, db: DbSession) -> None:
        await revoke_user(db, (await find_user(db, login)).id)
"""


def process_of(client: Client) -> object:
    client.join("room:1")
    client.push("pid")
    return client.next("ok")["data"]


def test_a_revocation_ends_the_sockets_of_its_user_in_every_process_and_no_others(
    tmp_path: Path, redis_url: str
) -> None:
    folder = project(tmp_path, settings=SETTINGS.format(url=redis_url), routes=ROUTES)
    (tmp_path / "pid.gate").touch()
    environ = {"FASTFORGE_ENV": "production", "FASTFORGE_USER_PASSWORD": "plum-kettle-9"}
    logins = ["ann@example.org", "bob@example.org"]
    commands = [["migrate"], *(["createuser", login] for login in logins)]
    assert {code for code, _ in outcomes(tmp_path, environ, commands)} == {0}
    with (
        served(folder, "two processes") as site,
        ExitStack() as stack,
        httpx.Client(base_url=site.url, timeout=LIMIT_S) as http,
    ):

        def asked(path: str, login: str) -> object:
            answer = http.post(path, params={"login": login})
            assert answer.status_code == 200, site.process
            return answer.json()

        sockets: dict[str, list[Client]] = {}
        for login in logins:
            offered = ["fastforge", f"token.{asked('/token', login)}"]
            processes: set[object] = set()
            while len(processes) < 2:
                client = stack.enter_context(site.client(subprotocols=offered))
                sockets.setdefault(login, []).append(client)
                processes.add(process_of(client))
        ann, bob = (sockets[login] for login in logins)
        asked("/revoke", logins[0])
        ends = {client.end() for client in ann}
        assert ends == {(4100, "the token may have been revoked")}
        assert not any(client.has_ended for client in bob)
