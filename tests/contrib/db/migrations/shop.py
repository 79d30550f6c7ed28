"""A project of two apps in a folder, and its command line, for the tests here."""

from __future__ import annotations

import sys

from tests.commanding import outcomes, python, start
from tests.folder import ProjectFolder
from tests.processes import Process

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


class Shop:
    """A project in a folder, and its command line."""

    def __init__(self, folder: ProjectFolder) -> None:
        self.folder = folder
        self.environ = {"FASTFORGE_ENV": "test", "PYTHONDONTWRITEBYTECODE": "1"}

    def manage(self, *arguments: str, exit_code: int = 0) -> str:
        """Run a command, check its exit code and return what it wrote."""
        ((code, text),) = outcomes(self.folder.path, self.environ, [arguments])
        assert code == exit_code, f"{arguments}: {text}"
        return text

    def story(self, *commands: str) -> list[tuple[int, str]]:
        """Run commands one after the other; the exit code and what each wrote."""
        return outcomes(self.folder.path, self.environ, [each.split() for each in commands])

    def script(self, text: str, *arguments: str) -> str:
        """Run Python in the project's folder and return what it printed."""
        done = python(["-c", text, *arguments], cwd=self.folder.path, env=self.environ)
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
