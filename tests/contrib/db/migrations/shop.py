"""A project of two apps in a folder, and its command line, for the tests here."""

from __future__ import annotations

import json
import sys

from tests.folder import ProjectFolder
from tests.processes import Process, run, start

SHOP = {
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "shop.users", "shop.blog"]
        DATABASES = {
            "default": Database(url=env("DATABASE_URL", default="sqlite+aiosqlite:///db.sqlite3"))
        }
        """,
    "shop/users/models.py": """
        from sqlalchemy.orm import Mapped, mapped_column

        from fastforge.contrib.db import Model

        class User(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            email: Mapped[str] = mapped_column(unique=True)
        """,
    "shop/blog/models.py": """
        from datetime import datetime

        from sqlalchemy import Column, ForeignKey, Table, func
        from sqlalchemy.orm import Mapped, mapped_column, relationship

        from fastforge.contrib.db import Model

        post_tags = Table(
            "blog_post_tags",
            Model.metadata,
            Column("post_id", ForeignKey("blog_post.id"), primary_key=True),
            Column("tag_id", ForeignKey("blog_tag.id"), primary_key=True),
        )

        class Tag(Model):
            id: Mapped[int] = mapped_column(primary_key=True)

        class Post(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            author_id: Mapped[int] = mapped_column(ForeignKey("users_user.id", ondelete="CASCADE"))
            made_at: Mapped[datetime] = mapped_column(server_default=func.now())
            title: Mapped[str]
            tags: Mapped[list[Tag]] = relationship(secondary=post_tags)
        """,
    "pyproject.toml": """
        [tool.fastforge]
        settings = "shop.settings"
        """,
}

MANAGE = [sys.executable, "-m", "fastforge"]

# Several commands in one interpreter: starting it costs more than the commands.
STORY = """
import contextlib, io, json, sys
from fastforge.management.cli import run
told = []
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        code = run(arguments)
    told.append([code, out.getvalue()])
print(json.dumps(told))
"""


class Shop:
    """A project in a folder, and its command line."""

    def __init__(self, folder: ProjectFolder) -> None:
        self.folder = folder
        self.environ = {"FASTFORGE_ENV": "test", "PYTHONDONTWRITEBYTECODE": "1"}

    def manage(self, *arguments: str, exit_code: int = 0) -> str:
        """Run a command, check its exit code and return what it wrote."""
        done = run([*MANAGE, *arguments], cwd=self.folder.path, env=self.environ)
        assert done.returncode == exit_code, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def story(self, *commands: str) -> list[tuple[int, str]]:
        """Run commands one after the other; the exit code and what each wrote."""
        arguments = json.dumps([command.split() for command in commands])
        told = json.loads(self.script(STORY, arguments))
        return [(code, text) for code, text in told]

    def script(self, text: str, *arguments: str) -> str:
        """Run Python in the project's folder and return what it printed."""
        argv = [sys.executable, "-c", text, *arguments]
        done = run(argv, cwd=self.folder.path, env=self.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: str) -> Process:
        return start([*MANAGE, *arguments], cwd=self.folder.path, env=self.environ)

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder.path / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def files(self, app: str) -> list[str]:
        return sorted(
            path.name for path in (self.folder.path / f"shop/{app}/migrations").glob("0*")
        )
