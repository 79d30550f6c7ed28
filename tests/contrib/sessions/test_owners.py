"""Whose a session is: of somebody who was there when it began."""

from __future__ import annotations

import sqlalchemy as sa

from fastforge import Project, Role
from fastforge.contrib.auth.default_user.models import User
from fastforge.contrib.db import session
from fastforge.contrib.sessions.owners import owner_of
from fastforge.contrib.sessions.store import Record
from fastforge.lifecycle import use_container


async def test_whoever_gets_the_id_of_one_who_is_gone_gets_none_of_their_sessions(
    project: Project,
) -> None:
    async with project.running(Role.COMMAND) as running:
        with use_container(running):
            async with session() as db:
                user = (await db.scalars(sa.select(User))).one()
                made = user.created_at.timestamp()
                for age_s, is_theirs in ((-60, True), (0, True), (5, True), (60, False)):
                    began = made - age_s
                    record = Record(
                        id="1",
                        created_at=began,
                        seen_at=began,
                        user_id=str(user.id),
                        user_version=user.version,
                    )
                    assert (await owner_of(db, record) is user) == is_theirs
