"""Checks are found in the installed apps, silenced by id, and the core has its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import CHECKS, Level, run_checks
from fastforge.exceptions import ComponentError, SettingsError
from tests.folder import ProjectFolder, isolated

APP_CHECK = """
from fastforge.checks import Level, Message, check

@check
def always(project):
    yield Message(id="orders.W001", level=Level.WARNING, text="something", hint="do it")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def found(folder: ProjectFolder, settings: str, *, deploy: bool = False) -> dict[str, str]:
    folder.write({"shop/settings.py": settings})
    project = folder.load()
    return {message.id: str(message) for message in run_checks(project, deploy=deploy)}


def test_an_apps_check_runs_and_can_be_silenced_with_a_reason(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/checks.py": APP_CHECK})
    apps = 'INSTALLED_APPS = ["shop.orders"]\n'
    assert found(folder, apps) == {"orders.W001": "warning [orders.W001] something; do it"}
    assert found(folder, apps + 'SILENCED_CHECKS = {"orders.W001": "known"}') == {}


def test_a_silence_without_a_reason_silences_nothing(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/checks.py": APP_CHECK})
    settings = """
        INSTALLED_APPS = ["shop.orders"]
        SILENCED_CHECKS = {
            "orders.W001": " ",
        }
        """
    messages = found(folder, settings)
    assert set(messages) == {"core.W002", "orders.W001"}
    assert (
        "shop/settings.py:3: SILENCED_CHECKS gives no reason for orders.W001"
        in messages["core.W002"]
    )


def test_what_is_silenced_is_counted(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/orders/checks.py": APP_CHECK,
            "shop/settings.py": """
                INSTALLED_APPS = ["shop.orders"]
                SILENCED_CHECKS = {"orders.W001": "known"}
                """,
        }
    )
    findings = run_checks(folder.load())
    assert findings.messages == ()
    assert [message.id for message in findings.silenced] == ["orders.W001"]


MANY = """
from fastforge.checks import Level, Message, check
from fastforge.exceptions import Location

@check(tags={"paper", "office"})
def unsorted(project):
    for level, number, line in ((20, 9, 1), (40, 2, 30), (40, 2, 4), (40, 1, 7), (30, 5, 1)):
        yield Message(
            id=f"orders.W00{number}", level=Level(level), text="x", where=Location("a.py", line)
        )

@check(tags="ink", deploy=True)
def in_production(project):
    yield Message(id="orders.E001", level=Level.ERROR, text="no ink", tags=frozenset({"blue"}))
"""


def test_messages_come_in_the_same_order_whatever_order_they_were_found_in(
    folder: ProjectFolder,
) -> None:
    folder.write(
        {
            "shop/orders/checks.py": MANY,
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
        }
    )
    findings = run_checks(folder.load())
    assert [(message.id, message.where.line) for message in findings if message.where] == [
        ("orders.W001", 7),
        ("orders.W002", 4),
        ("orders.W002", 30),
        ("orders.W005", 1),
        ("orders.W009", 1),
    ]


def test_a_tag_chooses_checks_and_stands_in_their_messages(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/orders/checks.py": MANY,
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
        }
    )
    project = folder.load()
    findings = run_checks(project, tags=["paper"])
    assert findings.ran == 1
    assert {message.tags for message in findings} == {frozenset({"paper", "office"})}
    assert run_checks(project, tags=["ink"]).ran == 0
    (message,) = run_checks(project, tags=["ink"], deploy=True)
    assert message.tags == {"ink", "blue"}
    with pytest.raises(ComponentError, match=r"\[checks.E004\] .*'papre'; did you mean 'paper'"):
        run_checks(project, tags=["papre"])


FAILING = """
from fastforge.checks import check

@check(tags={"office"})
def breaks(project):
    yield from project.settings["NOTHING"]

@check
def divides(project):
    return [1 / 0]

@check
def forgets(project):
    yield "a text"
"""


def test_a_check_that_fails_is_one_line_and_the_others_still_run(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/checks.py": FAILING, "shop/depot/checks.py": APP_CHECK})
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop.orders", "shop.depot"]'})
    project = folder.load()
    breaks, divides, forgets, other = map(str, run_checks(project))
    assert "orders/checks.py:5: the check 'orders.breaks' fails: [conf.E015] no installed" in breaks
    assert "checks.py:9: the check 'orders.divides' fails: ZeroDivisionError: division" in divides
    assert "the check 'orders.forgets' yields a str, which is no Message" in forgets
    assert other.startswith("warning [orders.W001]")
    with pytest.raises(SettingsError, match="NOTHING"):
        run_checks(project, raise_errors=True)


def test_a_check_that_awaits_is_refused_where_it_is_declared(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/orders/checks.py": (
                "from fastforge.checks import check\n\n@check\nasync def asks(project): ...\n"
            ),
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
        }
    )
    with pytest.raises(ComponentError, match=r"\[checks.E003\] .*checks.py:3: @check decorates"):
        folder.load().registry.values(CHECKS)


def test_a_near_miss_of_a_convention_module_is_reported(folder: ProjectFolder) -> None:
    folder.write(
        {"shop/orders/task.py": "", "shop/orders/routes.py": "", "shop/orders/schemas.py": ""}
    )
    messages = found(folder, 'INSTALLED_APPS = ["shop.orders"]')
    assert list(messages) == ["core.W001"]
    assert (
        "orders/task.py:1: shop.orders.task is not searched for components" in messages["core.W001"]
    )
    assert "rename it to tasks.py" in messages["core.W001"]


def test_a_name_that_only_resembles_a_convention_is_left_alone(folder: ProjectFolder) -> None:
    """`notes` is an app in an app, or a module of its own, and `shell` is no `shell_names`."""
    folder.write(
        {"shop/notes/__init__.py": "", "shop/orders/notes.py": "", "shop/orders/shell.py": ""}
    )
    assert not found(folder, 'INSTALLED_APPS = ["shop", "shop.notes", "shop.orders"]')


def test_deploy_checks_run_only_for_a_deploy(folder: ProjectFolder) -> None:
    settings = 'DEBUG = True\nSECRET_KEY = "short"\n'
    assert found(folder, settings) == {}
    messages = found(folder, settings, deploy=True)
    assert set(messages) == {"core.E001", "core.E002", "core.W004"}
    assert "shop/settings.py:2: SECRET_KEY is shorter than 32 bytes" in messages["core.E001"]
    random = "import secrets\nSECRET_KEY = secrets.token_urlsafe(48)\n"
    assert found(folder, random, deploy=True) == {}


ROUTES = """
from fastapi import APIRouter

router = APIRouter()

@router.get("/same")
async def {name}() -> None: ...
"""


def test_what_the_server_would_refuse_is_found_before_it_starts(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/orders/routes.py": ROUTES.format(name="one")
            + '\n@router.get("/b")\nasync def b(): ...',
            "shop/depot/routes.py": ROUTES.format(name="two"),
            "shop/timing.py": "number = 1",
            "shop/settings.py": """
                INSTALLED_APPS = ["shop.orders", "shop.depot"]
                MIDDLEWARE = [7, "shop.timing.Timer", "shop.timing.number"]
                """,
        }
    )
    project = folder.load()
    messages = [str(message) for message in run_checks(project)]
    assert len(messages) == 4
    clash, *layers = messages
    assert clash.startswith("error [core.E003] ")
    assert "depot/routes.py:5: [web.E001] GET /same is declared twice" in clash
    for message, code in zip(layers, ("web.E003", "web.E004", "web.E005"), strict=True):
        assert f"shop/settings.py:2: [{code}] " in message


def test_a_router_that_cannot_be_mounted_is_found(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/routes.py": ROUTES.format(name="one").replace("/same", "")})
    messages = found(folder, 'INSTALLED_APPS = ["shop.orders"]')
    assert "orders/routes.py:3: [web.E002] the router" in messages["core.E003"]


def test_the_file_of_a_command_that_cannot_be_run_is_found(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/orders/commands/close.py": "def close() -> None: ...",
            "shop/orders/commands/ship.py": "nonsense",
        }
    )
    apps = 'INSTALLED_APPS = ["shop.orders"]'
    folder.write({"shop/settings.py": apps})
    close, ship = sorted(str(message) for message in run_checks(folder.load()))
    assert close.startswith("error [core.E004] ")
    assert "commands/close.py:1: [components.E012] the file of the command 'close'" in close
    assert "commands/ship.py:1: [components." in ship
    assert "nonsense" in ship


def test_levels_are_ordered() -> None:
    assert Level.INFO < Level.WARNING < Level.ERROR


CONNECTING_CHECK = """
    from fastforge.checks import Level, Message, check

    @check(connects="database", tags={"stock"})
    async def stock_is_there(project):
        yield Message(id="orders.W002", level=Level.WARNING, text=f"asked for {project.name}")
        raise RuntimeError("no answer")
    """


def test_a_check_that_connects_runs_only_when_that_is_asked_for(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/checks.py": CONNECTING_CHECK})
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]'})
    project = folder.load()
    assert not run_checks(project, tags=["stock"]).ran
    asked = run_checks(project, tags=["stock"], connecting=["database"])
    assert asked.ran == 1


def test_a_check_that_connects_and_fails_is_a_message(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/checks.py": CONNECTING_CHECK})
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]'})
    (message,) = run_checks(folder.load(), tags=["stock"], connecting=["database"])
    assert str(message).startswith("error [checks.E001] ")
    assert "shop/orders/checks.py:6" in str(message)
    assert "no answer" in str(message)


def test_a_check_that_connects_is_async(folder: ProjectFolder) -> None:
    text = CONNECTING_CHECK.replace("async def", "def")
    folder.write({"shop/orders/checks.py": text})
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]'})
    with pytest.raises(ComponentError, match=r"checks\.E005.*'stock_is_there'.*async def"):
        run_checks(folder.load())
