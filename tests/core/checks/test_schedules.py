"""Schedules that would do nothing, late or twice are found before they are missed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fastforge.checks import run_checks
from tests.folder import isolated

SETTINGS = """
    from fastforge.tasks import Tasks

    INSTALLED_APPS = ["shop", "shop.orders"]
    SECRET_KEY = "0123456789abcdef0123456789abcdef0123456789"
    TASKS = Tasks(backend="memory")
    """
TASKS = """
    import fastforge
    from fastforge import every as each
    from fastforge import task

    @task
    async def ship() -> None: ...

    each("@daily", ship)
    NIGHTLY = [each("@daily", ship)]
    if True:
        good = each("@daily", ship, name="good")
    for hour in (1, 2):
        several = fastforge.every(f"0 {hour} * * *", ship, name="several")

    def make(name):
        return each("@daily", ship, name=name)

    made = make("made")
    print("other calls", make("and lost, which nobody can tell"))
    """


def found(
    tmp_path: Path, files: Mapping[str, str], *, environ: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS, **files})
        messages = run_checks(folder.load(environ), deploy=environ is not None).messages
        return [
            (each.id, str(each.where).removeprefix(f"{tmp_path}/"), each.text)
            for each in messages
            if each.id.startswith("tasks.")
        ]


def test_a_schedule_without_a_name_that_is_found_is_told(tmp_path: Path) -> None:
    files = {
        "shop/orders/tasks.py": TASKS,
        "shop/orders/reports.py": """
            from fastforge.tasks import every
            from .tasks import ship

            weekly = every("@weekly", ship)
            """,
        "shop/orders/schedules/monthly.py": """
            from fastforge import every
            from ..tasks import ship

            monthly = every("@monthly", ship, name="monthly")
            """,
        "shop/orders/tests/test_tasks.py": """
            from fastforge import every

            every("@monthly", None)
            """,
    }
    no_name = "declares nothing: it has no name of its own"
    assert sorted(found(tmp_path, files)) == [
        (
            "tasks.E062",
            "shop/orders/reports.py:4",
            "every(...) declares nothing: nobody looks for it here",
        ),
        ("tasks.E062", "shop/orders/tasks.py:13", f"fastforge.every(...) {no_name}"),
        ("tasks.E062", "shop/orders/tasks.py:8", f"each(...) {no_name}"),
        ("tasks.E062", "shop/orders/tasks.py:9", f"each(...) {no_name}"),
    ]


SCHEDULES = """
    from fastforge import every, task

    @task
    async def ship() -> None: ...

    never = every("0 0 30 2 *", ship, name="never")
    daily = every("@daily", ship, name="daily")
    yearly = every("@yearly", ship, name="yearly")
    leap = every("0 0 29 2 *", ship, name="leap", zone="Europe/Berlin")
    """


def test_a_schedule_that_never_comes_is_an_error_and_a_rare_one_a_warning(tmp_path: Path) -> None:
    messages = found(tmp_path, {"shop/orders/tasks.py": SCHEDULES})
    never, *rare = messages
    assert never == (
        "tasks.E061",
        "shop/orders/tasks.py:6",
        "the schedule 'never', 0 0 30 2 *, is never due",
    )
    for code, where, text in rare:  # none in the year before a leap day
        assert (code, where) == ("tasks.W050", "shop/orders/tasks.py:9")
        assert "'leap', 0 0 29 2 *, is due next on 20" in text


def test_schedules_in_memory_are_told_where_they_are_deployed(tmp_path: Path) -> None:
    soon = SCHEDULES.replace("30 2 *", "1 2 *").replace("29 2 *", "2 2 *")
    files = {"shop/orders/tasks.py": soon}
    messages = found(tmp_path, files, environ={"FASTFORGE_ENV": "production"})
    (of_jobs, (code, where, text)) = sorted(messages)
    assert of_jobs[0] == "tasks.W002"
    assert (code, where) == ("tasks.W051", "shop/settings.py:5")
    assert text.startswith('the project has schedules, and TASKS.backend is "memory"')
    tested = found(tmp_path, files, environ={"FASTFORGE_ENV": "test"})
    assert [code for code, _, _ in tested] == ["tasks.W002"]
