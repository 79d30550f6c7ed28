"""Files and their order: what is read, what is refused, and in which line."""

from __future__ import annotations

import pytest

from fastforge.contrib.db.migrations.errors import MigrationError, MigrationFileError
from fastforge.contrib.db.migrations.plan import EVERYTHING, ZERO, Target, plan
from fastforge.exceptions import ErrorGroup

from .world import World, two_apps

NOTHING = "def upgrade(op): pass"


def ids(world: World, applied: set[str], target: Target = EVERYTHING) -> list[str]:
    return [str(step) for step in plan(world.history, applied, target)]


def test_apps_run_in_installation_order_unless_one_needs_another(world: World) -> None:
    world.write("users", "0001_initial", NOTHING)
    world.write("blog", "0001_initial", NOTHING)
    world.write("users", "0002_link", NOTHING, depends_on=("blog.0001_initial",))
    assert [migration.id for migration in world.history] == [
        "users.0001_initial",
        "blog.0001_initial",
        "users.0002_link",
    ]


def test_files_without_a_number_are_the_users_own(world: World) -> None:
    world.write("users", "0001_initial", NOTHING)
    (world.folder("users").path / "helpers.py").write_text("raise RuntimeError")
    assert len(world.history) == 1


def test_the_plan_leads_from_what_a_database_has_to_the_target(world: World) -> None:
    world.make(two_apps)
    world.write("users", "0002_more", NOTHING)
    everything = {migration.id for migration in world.history}
    assert ids(world, set()) == [
        "apply users.0001_initial",
        "apply users.0002_more",
        "apply blog.0001_initial",
    ]
    assert ids(world, everything) == []
    assert ids(world, everything, Target(label="users", name="1")) == ["take back users.0002_more"]
    assert ids(world, everything, Target(label="users", name=ZERO)) == [
        "take back blog.0001_initial",
        "take back users.0002_more",
        "take back users.0001_initial",
    ]
    assert ids(world, set(), Target(label="blog")) == [
        "apply users.0001_initial",
        "apply blog.0001_initial",
    ]


def test_every_file_that_does_not_load_is_named_with_its_line(world: World) -> None:
    first = world.write("users", "0001_initial", "def upgrade(op:", down_revision=None)
    second = world.write("blog", "0001_initial", "import nothing_of_name", down_revision=None)
    with pytest.raises(ErrorGroup) as caught:
        _ = world.history
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"[db.E101] {first}:5: the migration does not load: SyntaxError")
    assert lines[1].startswith(f"[db.E101] {second}:5:")
    assert "nothing_of_name" in lines[1]
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("body", "values", "said"),
    [
        (NOTHING, {"revision": "0001"}, r"\[db.E102\].*revision = '0001'.*users.0001_initial"),
        ("x = 1", {}, r"\[db.E103\].*no function upgrade\(op\)"),
        (NOTHING, {"depends_on": 7}, r"\[db.E103\].*depends_on = 7"),
    ],
)
def test_a_file_of_another_form_is_refused(
    world: World, body: str, values: dict[str, object], said: str
) -> None:
    world.write("users", "0001_initial", body, **values)
    with pytest.raises(ErrorGroup, match=said):
        _ = world.history


@pytest.mark.parametrize(
    ("required", "said"),
    [
        ("users.0001_intial", "did you mean 'users.0001_initial'"),
        ("shop.0001_initial", "the app 'shop' has to be in INSTALLED_APPS"),
    ],
)
def test_a_requirement_that_does_not_exist_is_named(world: World, required: str, said: str) -> None:
    world.write("users", "0001_initial", NOTHING)
    world.write("blog", "0001_initial", NOTHING, depends_on=(required,))
    with pytest.raises(MigrationFileError, match=rf"\[db.E104\].*{required}.*{said}"):
        _ = world.history


def test_a_circle_is_told_as_one(world: World) -> None:
    path = world.write("users", "0001_initial", NOTHING)
    world.write("blog", "0001_initial", NOTHING, depends_on=("users.0001_initial",))
    path.write_text(
        path.read_text().replace("depends_on = None", "depends_on = 'blog.0001_initial'")
    )
    with pytest.raises(MigrationFileError, match=r"\[db.E109\].*in a circle: .* -> .*"):
        _ = world.history


def test_two_last_migrations_of_an_app_are_refused_where_it_matters(world: World) -> None:
    world.write("users", "0001_initial", NOTHING)
    world.write("users", "0002_mine", NOTHING)
    world.write("users", "0002_yours", NOTHING, down_revision="users.0001_initial")
    for ask in (lambda: ids(world, set()), lambda: world.missing(two_apps)):
        told = r"\[db.E105\].*0002_mine.py and 0002_yours.py; .*makemigrations users --merge"
        with pytest.raises(MigrationFileError, match=told):
            ask()


def test_a_migration_may_join_two(world: World) -> None:
    world.write("users", "0001_initial", NOTHING)
    world.write("users", "0002_mine", NOTHING)
    world.write("users", "0002_yours", NOTHING, down_revision="users.0001_initial")
    world.write(
        "users", "0003_join", NOTHING, down_revision=("users.0002_mine", "users.0002_yours")
    )
    assert ids(world, set())[-1] == "apply users.0003_join"


def test_a_target_is_a_name_its_beginning_or_a_number(world: World) -> None:
    world.write("users", "0001_initial", NOTHING)
    world.write("users", "0002_add_age", NOTHING)
    for target in ("2", "0002", "0002_add", "0002_add_age", "users.0002_add_age"):
        assert world.history.find("users", target).name == "0002_add_age"
    with pytest.raises(MigrationError, match=r"2 migrations like '00'; .*0001_initial or 0002_add"):
        world.history.find("users", "00")
    with pytest.raises(MigrationError, match=r"\[db.E108\].*no migration like '9'"):
        world.history.find("users", "9")
