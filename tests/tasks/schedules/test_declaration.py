"""`every`: what it makes, what it refuses and with which words, and where apps may write it."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fastforge import every, task
from fastforge.exceptions import ComponentError, ErrorGroup, ForgeError, TaskError
from fastforge.tasks import SCHEDULES, Clock, Concurrency, Schedule, Tasks, Unique
from fastforge.tasks.schedules.jobs import check_schedule, scheduled_job
from fastforge.tasks.schedules.zones import zone_of
from tests.folder import isolated


@task(name="shop.report")
async def report(day: str = "today") -> None: ...


def test_every_makes_a_frozen_value_named_after_its_task() -> None:
    nightly = every("0 3 * * mon-fri", report, zone="Europe/Berlin")
    assert nightly == every("0 3 * * mon-fri", report, zone="Europe/Berlin")
    assert (nightly.name, nightly.zone) == ("shop.report", "Europe/Berlin")
    assert (nightly.catch_up, nightly.overlap) == ("latest", "skip")
    assert repr(nightly) == "<Schedule(shop.report: 0 3 * * mon-fri)>"
    with pytest.raises(AttributeError):
        nightly.name = "other"  # type: ignore[misc]


def test_the_next_time_is_told_in_utc_by_the_clocks_of_the_zone() -> None:
    moment = datetime(2026, 6, 1, 1, tzinfo=UTC)
    own = every("0 3 * * *", report, zone="Europe/Berlin", name="own")
    default = every("0 3 * * *", report)
    assert own.next_after(moment) == datetime(2026, 6, 2, 1, tzinfo=UTC)
    assert default.next_after(moment) == datetime(2026, 6, 1, 3, tzinfo=UTC)
    assert default.next_after(moment, time_zone="Asia/Kolkata") == datetime(
        2026, 6, 1, 21, 30, tzinfo=UTC
    )
    interval = every(timedelta(minutes=5), report)
    assert interval.next_after(moment) == datetime(2026, 6, 1, 1, 5, tzinfo=UTC)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(TaskError, match="2026-06-01T01:00:00 has no time zone") as caught:
        every("0 3 * * *", report).next_after(datetime.fromisoformat("2026-06-01T01:00:00"))
    assert caught.value.code == "tasks.E053"


async def coroutine() -> None: ...


def plain() -> None: ...


@pytest.mark.parametrize(
    ("when", "job", "options", "code", "told"),
    [
        ("0 25 * * *", report, {}, "tasks.E050", "its hour, '25': 25 is not between 0 and 23"),
        ("0 3 * * *", report, {"zone": "Europe/Berln"}, "tasks.E051", "'Europe/Berlin'?"),
        ("0 3 * * *", report, {"zone": "berlin"}, "tasks.E051", "did you mean 'Europe/Berlin'?"),
        ("0 3 * * *", report, {"zone": "New York"}, "tasks.E051", "'America/New_York'?"),
        ("0 3 * * *", report, {"zone": "America"}, "tasks.E051", "there is no time zone"),
        ("0 3 * * *", report, {"zone": "/etc/localtime"}, "tasks.E051", "there is no time zone"),
        ("0 3 * * *", report, {"zone": "../Berlin"}, "tasks.E051", "there is no time zone"),
        (timedelta(0), report, {}, "tasks.E052", "an interval of 0 s is shorter than 1 s"),
        (timedelta(seconds=-5), report, {}, "tasks.E052", "an interval of -5 s"),
        (timedelta(milliseconds=10), report, {}, "tasks.E052", "an interval of 0.01 s"),
        ("0 3 * * *", report, {"catch_up": "last"}, "tasks.E054", "did you mean 'latest'?"),
        ("0 3 * * *", report, {"overlap": "forbid"}, "tasks.E054", "there are skip, queue, allow"),
        (300, report, {}, "tasks.E056", "neither a cron expression nor a timedelta"),
        ("0 3 * * *", plain, {}, "tasks.E056", "write @task above plain"),
        ("0 3 * * *", report.using(queue="q"), {}, "tasks.E056", "write .call(...) behind it"),
        ("0 3 * * *", None, {}, "tasks.E056", "every() got None, which is no task"),
        (timedelta(hours=1), report, {"zone": "UTC"}, "tasks.E057", "leave zone out"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    when: Any, job: Any, options: dict[str, Any], code: str, told: str
) -> None:
    with pytest.raises(TaskError) as caught:
        every(when, job, **options)
    assert caught.value.code == code
    assert told in str(caught.value)
    assert str(caught.value.where).startswith("tests/tasks/schedules/test_declaration.py:")


def test_a_task_that_was_called_is_refused_and_its_coroutine_closed() -> None:
    called = coroutine()
    with pytest.raises(TaskError, match=r"task\.call\(\.\.\.\) in place of task"):
        every("0 3 * * *", called)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="cannot reuse"):
        called.send(None)


def test_a_system_without_zones_is_told_what_to_install() -> None:
    path = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(())
    try:
        with pytest.raises(TaskError, match="install the package tzdata"):
            zone_of("Europe/Vaduz")
    finally:
        zoneinfo.reset_tzpath(path)
    assert zone_of("Europe/Vaduz").key == "Europe/Vaduz"


# --- in a project --------------------------------------------------------------------------------

SETTINGS = """
    from fastforge.tasks import Tasks

    INSTALLED_APPS = ["shop.orders"]
    TASKS = Tasks(backend="memory")
    """
TASKS = """
    from datetime import timedelta
    from fastforge import every, task

    @task
    async def poll() -> None: ...

    @task
    async def greet(name: str, times: int = 1) -> None: ...
    """


def schedules(tmp_path: Path, files: dict[str, str]) -> list[tuple[str, str, Schedule]]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS, "shop/orders/tasks.py": TASKS, **files})
        components = folder.load().registry.components(SCHEDULES)
        return [
            (each.name, str(each.location).removeprefix(f"{tmp_path}/"), each.value)
            for each in components
        ]


def test_schedules_are_found_in_their_module_and_beside_their_tasks(tmp_path: Path) -> None:
    found = schedules(
        tmp_path,
        {
            "shop/orders/tasks.py": f"""{TASKS}polling = every("@hourly", poll, name="polling")
    """,
            "shop/orders/schedules.py": """
                from fastforge import every
                from .tasks import poll, polling

                nightly = every("@daily", poll)
                later = nightly
                """,
        },
    )
    assert [(name, where) for name, where, _ in found] == [
        ("shop.orders.tasks.poll", "shop/orders/schedules.py:4"),
        ("polling", "shop/orders/tasks.py:9"),
    ]


def load_error(tmp_path: Path, schedules_file: str, settings: str = SETTINGS) -> ForgeError:
    files = {"shop/settings.py": settings, "shop/orders/tasks.py": TASKS}
    with isolated(tmp_path) as folder, pytest.raises(ForgeError) as caught:
        folder.write(files | {"shop/orders/schedules.py": schedules_file})
        folder.load()
    error = caught.value
    return error.errors[0] if isinstance(error, ErrorGroup) else error


def test_a_name_exists_once_in_a_project(tmp_path: Path) -> None:
    error = load_error(
        tmp_path,
        """
        from fastforge import every
        from .tasks import poll

        nightly = every("@daily", poll)
        weekly = every("@weekly", poll)
        """,
    )
    assert isinstance(error, ComponentError)
    assert "two of the schedules are named 'shop.orders.tasks.poll'" in error.message


def test_a_task_that_needs_arguments_is_refused_at_collection(tmp_path: Path) -> None:
    error = load_error(
        tmp_path,
        """
        from fastforge import every
        from .tasks import greet

        greeting = every("@daily", greet, name="greeting")
        """,
    )
    assert error.code == "tasks.E055"
    assert error.message == "the schedule 'greeting' enqueues greet without name, which it needs"
    assert error.hint == "write greet.call(name=...) in place of greet"
    assert str(error.where).endswith("shop/orders/schedules.py:4")


def test_a_wrong_expression_is_told_at_its_line_when_the_project_loads(tmp_path: Path) -> None:
    error = load_error(
        tmp_path,
        """
        from fastforge import every
        from .tasks import poll

        nightly = every("0 3 * *", poll)
        """,
    )
    assert error.code == "tasks.E050"
    assert str(error.where).endswith("shop/orders/schedules.py:4")


def test_the_zone_of_the_settings_is_checked(tmp_path: Path) -> None:
    error = load_error(tmp_path, "", f'{SETTINGS}TIME_ZONE = "Europe/Berln"\n')
    assert "there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?" in str(error)
    assert str(error.where).endswith("shop/settings.py:5")


@task(concurrency=Concurrency(2))
async def limited() -> None: ...


@task(unique=Unique())
async def single() -> None: ...


@pytest.mark.parametrize(
    ("schedule", "code", "hint"),
    [
        (every("@daily", limited, overlap="queue"), "tasks.E058", "leave overlap out"),
        (every("@daily", single, overlap="allow"), "tasks.E059", "single.using(unique=False)"),
        (every("@daily", single, overlap="queue"), "tasks.E059", "leave overlap out"),
        (
            every("@daily", report.using(run_at=datetime(2099, 1, 1, tzinfo=UTC)).call()),
            "tasks.E060",
            "leave run_at out",
        ),
        (
            every("@daily", report.using(expires=datetime(2099, 1, 1, tzinfo=UTC)).call()),
            "tasks.E060",
            "expires as a timedelta",
        ),
    ],
)
def test_what_contradicts_the_task_is_refused_at_collection(
    schedule: Schedule, code: str, hint: str
) -> None:
    with pytest.raises(TaskError) as caught:
        check_schedule(schedule)
    assert caught.value.code == code
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "schedule",
    [
        every("@daily", single),
        every("@daily", single.using(unique=False).call(), overlap="allow"),
        every("@daily", limited, overlap="allow"),
        every("@daily", report.using(delay=60, expires=timedelta(hours=1)).call("monday")),
    ],
)
def test_what_fits_the_task_is_accepted(schedule: Schedule) -> None:
    check_schedule(schedule)
    assert schedule.name == schedule.task.name


def test_the_job_of_a_call_has_its_arguments_and_options() -> None:
    call = report.using(queue="slow", delay=60, priority=-1).call("monday")
    due_at = datetime(2026, 6, 1, tzinfo=UTC)
    job = scheduled_job(every("@daily", call), due_at, settings=Tasks(), clock=Clock())
    assert (job.task, job.payload, job.queue) == ("shop.report", {"day": "monday"}, "slow")
    assert (job.run_at, job.delay_s, job.priority) == (due_at + timedelta(seconds=60), 0, -1)


def test_a_schedule_of_a_call_is_hashable_and_equal_to_itself() -> None:
    assert (
        len({every("@daily", report.call("monday")), every("@daily", report.call("monday"))}) == 1
    )


def test_an_unknown_argument_is_told_with_the_nearest_name() -> None:
    with pytest.raises(
        TaskError, match=r"tasks\.E092.*catch_pu=.*did you mean 'catch_up'"
    ) as caught:
        every("@daily", report, catch_pu="all")  # type: ignore[call-arg]
    assert "test_declaration.py:" in str(caught.value.where)
