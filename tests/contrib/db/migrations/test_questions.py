"""What may be a rename is asked in a terminal, and guessed nowhere."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from fastforge.contrib.db.migrations.answers import Answers
from fastforge.contrib.db.migrations.errors import MigrationError
from fastforge.exceptions import ForgeError
from tests.terminal import CTRL_D, in_terminal

from .shop import MANAGE, Shop
from .stories import table
from .world import Define, World, no, nobody, yes


def people(*names: str, schema: str | None = None) -> Define:
    def define(metadata: sa.MetaData) -> None:
        columns = (sa.Column(name, sa.Text) for name in names)
        table(metadata, "users_user", *columns, schema=schema)

    return define


def said(*, renamed: bool) -> Answers:
    return Answers.of(renamed=renamed, not_renamed=not renamed, fill=(), interactive=False)


@pytest.mark.parametrize(
    ("before", "after"),
    [(("first", "last"), ("family", "given")), (("title",), ("subtitle", "headline"))],
)
def test_which_became_which_is_not_guessed(
    world: World, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    world.make(people(*before))
    with pytest.raises(MigrationError, match=r"db.E143.* became (family|subtitle): more than one"):
        world.missing(people(*after), ask=said(renamed=True).ask)
    assert len(world.missing(people(*after), ask=said(renamed=False).ask)) == 1


def test_one_that_can_only_have_become_one_is_renamed_as_said(world: World) -> None:
    world.make(people("first"))
    (new,) = world.missing(people("given"), ask=said(renamed=True).ask)
    assert new.name == "0002_rename_first"


def linked(name: str, *columns: str) -> Define:
    def define(metadata: sa.MetaData) -> None:
        keys = (sa.Column(column, sa.Integer, primary_key=True) for column in columns)
        sa.Table(name, metadata, *keys)

    return define


def test_the_table_of_a_link_keeps_its_rows_when_one_end_is_renamed(world: World) -> None:
    world.make(linked("users_user_groups", "user_id", "group_id"))
    renamed = linked("users_person_groups", "person_id", "group_id")
    with pytest.raises(ForgeError, match=r"db.E117.*users_user_groups went"):
        world.missing(renamed, ask=nobody)
    (new,) = world.make(renamed, ask=said(renamed=True).ask)
    assert 'op.rename_table("users_user_groups", "users_person_groups")' in new.source
    assert 'new_column_name="person_id"' in new.source
    assert world.missing(renamed) == ()


@pytest.mark.parametrize("ask", [nobody, yes])
def test_a_table_does_not_lose_its_rows_on_the_way_to_another_schema(
    world: World, ask: object
) -> None:
    world.make(people("first"))
    moved = people("first", schema="people")
    with pytest.raises(ForgeError, match=r"db.E142.*users_user went and people.users_user came"):
        world.missing(moved, ask=ask)  # type: ignore[arg-type]
    (new,) = world.missing(moved, ask=no)
    assert new.name == "0002_create_user_and_drop_user"


def test_a_terminal_is_asked(shop: Shop) -> None:
    """A rename is answered, a value is asked for again when it is none, and a default is shown."""
    shop.manage("makemigrations")
    shop.replace(
        "shop/blog/models.py",
        "title: Mapped[str]\n",
        "headline: Mapped[str]\n"
        "    views: Mapped[int]\n"
        "    stars: Mapped[int] = mapped_column(default=3)\n",
    )
    argv = [*MANAGE, "makemigrations", "--name", "asked"]
    with in_terminal(argv, cwd=shop.folder.path, env=shop.environ) as terminal:
        terminal.wait_for("Did you rename the column blog_post.title to headline? [y/N]")
        terminal.enter("y")
        terminal.wait_for("What do the rows that are there get in the new column blog_post.views?")
        terminal.enter("many")
        terminal.wait_for("'many' is no value for blog_post.views")
        terminal.enter("id * 2")
        terminal.wait_for("blog_post.stars? SQL [3]:")
        terminal.enter("")
        terminal.wait_for("written: shop/blog/migrations/0002_asked.py")
        assert terminal.wait() == 0
    text = (shop.folder.path / "shop/blog/migrations/0002_asked.py").read_text()
    assert 'new_column_name="headline"' in text
    assert "SET views = id * 2 WHERE" in text
    assert "SET stars = 3 WHERE" in text


def test_a_question_that_is_broken_off_writes_nothing(shop: Shop) -> None:
    shop.manage("makemigrations")
    shop.replace("shop/blog/models.py", "title: Mapped[str]\n", "headline: Mapped[str]\n")
    argv = [*MANAGE, "makemigrations"]
    with in_terminal(argv, cwd=shop.folder.path, env=shop.environ) as terminal:
        terminal.wait_for("[y/N]")
        terminal.type(CTRL_D)
        assert terminal.wait() == 130
        assert "Traceback" not in terminal.shown
    assert shop.files("blog") == ["0001_initial.py"]
