"""What is read as text is what running it would give, or nothing; and no line of it runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fastforge.commands import CommandFile
from fastforge.exceptions import ComponentError, SettingsError
from fastforge.management.static import static_commands
from fastforge.project import Outline
from tests.folder import ProjectFolder, isolated

ROOT = Path(__file__).parents[2]

PLAIN = [
    "",
    "INSTALLED_APPS = []",
    'INSTALLED_APPS = ["shop.notes"]',
    'INSTALLED_APPS = ("shop.notes", "shop." "orders")',
    'INSTALLED_APPS: list[str] = ["shop.notes"]  # INSTALLED_APPS: see the docs',
    '"""INSTALLED_APPS is written below."""\nINSTALLED_APPS = ["shop.notes"]',
    'from fastforge.conf import App\nINSTALLED_APPS = [App("shop.notes", prefix="/api")]',
    'from fastforge import App as Other\nINSTALLED_APPS = [Other("shop.notes"), "shop.orders"]',
    'INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.notes"]',
    "from .base import *\nDEBUG = True",
    "from shop.base import *",
]

UNCLEAR = [
    'INSTALLED_APPS = ["shop.notes"]\nINSTALLED_APPS += ["shop.orders"]',
    'INSTALLED_APPS = ["shop.notes"]\nINSTALLED_APPS.append("shop.orders")',
    'APPS = ["shop.notes"]\nINSTALLED_APPS = APPS',
    'INSTALLED_APPS = [*["shop.notes"], "shop.orders"]',
    'INSTALLED_APPS = [name for name in ("shop.notes",)]',
    'if __name__:\n    INSTALLED_APPS = ["shop.notes"]',
    'INSTALLED_APPS = OTHER = ["shop.notes"]',
    'globals()["INSTALLED_" "APPS"] = ["shop.notes"]',
    'INSTALLED_APPS = ["shop.notes"]\nglobals().update({"INSTALLED" + "_APPS": []})',
    'from .base import *\nINSTALLED_APPS = [*INSTALLED_APPS, "shop.orders"]',
    "from .base import INSTALLED_APPS",
    'from .base import *\nINSTALLED_APPS = ["shop.orders"]',
    "if __name__:\n    from .base import *",
    "try:\n    from .nowhere import *\nexcept ImportError:\n    from .base import *",
    "from fastforge.conf import *",
    'from fastforge import conf\nINSTALLED_APPS = [conf.App("shop.notes")]',
    'from fastforge.conf import App\nINSTALLED_APPS = [App(name="shop.notes")]',
    'INSTALLED_APPS = ["shop.notes"]\nmatch ["shop.orders"]:\n    case INSTALLED_APPS: pass',
    'INSTALLED_APPS = ["shop.notes"]\ntry: {}[1]\nexcept KeyError as INSTALLED_APPS: pass',
    'from builtins import exec as run\nrun("INSTALLED_" + "APPS = [\'shop.notes\']")',
    '__all__ = ["DEBUG"]\nDEBUG = True\nINSTALLED_APPS = ["shop.notes"]',
    "from fastforge.conf import App\nApp = lambda name: 'shop.orders'\n"
    'INSTALLED_APPS = [App("shop.notes")]',
]

CONFIG = "from fastforge.apps import AppConfig\n"
SECTION = "from fastforge.conf import Section\n"

PLAIN_CONFIGS = [
    "",
    "X = 1",
    f"{CONFIG}class NotesConfig(AppConfig):\n    pass",
    f'{CONFIG}class NotesConfig(AppConfig):\n    name = "shop.notes"\n    label = "my_notes"',
    f'{CONFIG}class NotesConfig(AppConfig):\n    label: str = "n"\n    requires = ()',
    f'{CONFIG}class NotesConfig(AppConfig):\n    commands = "shop.tools"',
    f'{CONFIG}{SECTION}class Notes(Section, setting="NOTES"):\n    size: int = 1\n'
    "class NotesConfig(AppConfig):\n    settings = (Notes,)\n    def size(self) -> int: return 1",
    "from typing import TYPE_CHECKING\nfrom fastforge.apps import AppConfig as Base\n"
    'if TYPE_CHECKING:\n    import fastapi\nclass NotesConfig(Base):\n    label = "n"',
    "from fastforge.apps import AppConfig",
]

UNCLEAR_CONFIGS = [
    f'{CONFIG}LABEL = "n"\nclass NotesConfig(AppConfig):\n    label = LABEL',
    f'{CONFIG}class NotesConfig(AppConfig):\n    label = "n"\n    if label: label = "m"',
    f'{CONFIG}class NotesConfig(AppConfig):\n    label, commands = "n", "shop.tools"',
    f'{CONFIG}if CONFIG := True:\n    class NotesConfig(AppConfig):\n        label = "n"',
    f'{CONFIG}class Mixin: label = "n"\nclass NotesConfig(Mixin, AppConfig): ...',
    f'{CONFIG}Base = AppConfig\nclass NotesConfig(Base):\n    label = "n"',
    "import fastforge.apps\nclass NotesConfig(fastforge.apps.AppConfig):\n    label = 'n'",
    f'{CONFIG}NotesConfig = type("NotesConfig", (AppConfig,), {{"label": "n"}})',
    f"{CONFIG}class NotesConfig(AppConfig):\n    def label(self): ...\n    label = 'n'",
    f"{CONFIG}class NotesConfig(AppConfig): ...\nNotesConfig.label = 'n'",
    f"{CONFIG}class NotesConfig(AppConfig): ...\nsetattr(NotesConfig, 'label', 'n')",
    f"{CONFIG}class NotesConfig(AppConfig):\n    label = 'n'\nNotesConfig = None",
    f"{CONFIG}class NotesConfig(AppConfig):\n"
    "    def __init__(self, entry):\n        super().__init__(entry)\n        self.label = 'n'",
    "import fastforge.apps\nTYPE_CHECKING = False\nif TYPE_CHECKING: ...\n"
    "else:\n    class NotesConfig(fastforge.apps.AppConfig): label = 'n'",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProjectFolder]:
    """A project with the apps `shop.notes` and `shop.orders`, a command in each."""
    monkeypatch.setenv("FASTFORGE_ENV", "test")
    with isolated(tmp_path) as folder:
        sys.path.insert(0, str(tmp_path))
        command = '"""Go."""\nraise RuntimeError("nobody asked to run this")\n'
        folder.write(
            {
                "shop/settings.py": 'INSTALLED_APPS = ["shop.notes"]',
                "shop/base.py": 'INSTALLED_APPS = ["shop.notes"]',
                "shop/notes/commands/count_notes.py": command,
                "shop/orders/commands/count_orders.py": command,
                "shop/tools/sharpen.py": command,
            }
        )
        yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]  # a folder without `__init__.py` has no file to be known by


def statically(module: str = "shop.settings") -> Mapping[str, CommandFile] | None:
    found = static_commands(module, named_by="test")
    assert [name for name in sys.modules if name.partition(".")[0] == "shop"] == []
    return found


def in_full(folder: ProjectFolder) -> Mapping[str, CommandFile]:
    environ = {"FASTFORGE_ENV": "test"}
    return Outline.read("shop.settings", start=folder.path, environ=environ).commands


@pytest.mark.parametrize("settings", PLAIN)
def test_plain_settings_are_read_as_they_would_run(settings: str, folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": settings})
    assert statically() == in_full(folder)


@pytest.mark.parametrize("settings", UNCLEAR)
def test_settings_that_are_put_together_are_not_guessed(
    settings: str, folder: ProjectFolder
) -> None:
    folder.write({"shop/settings.py": settings})
    assert statically() is None


@pytest.mark.parametrize("config", PLAIN_CONFIGS)
def test_a_plain_config_is_read_as_it_would_run(config: str, folder: ProjectFolder) -> None:
    folder.write({"shop/notes/apps.py": config})
    assert statically() == in_full(folder)


@pytest.mark.parametrize("config", UNCLEAR_CONFIGS)
def test_a_config_that_could_mean_something_else_is_not_guessed(
    config: str, folder: ProjectFolder
) -> None:
    folder.write({"shop/notes/apps.py": config})
    assert statically() is None
    assert "check" in in_full(folder)


@pytest.mark.parametrize(
    "installed",
    [
        '["shop.note"]',
        '["shop.notes", "shop.notes"]',
        '["shop.base"]',
        '["shop notes"]',
        '[""]',
        '["shop..notes"]',
    ],
)
def test_what_is_wrong_is_left_to_the_full_reading(installed: str, folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": f"INSTALLED_APPS = {installed}"})
    assert statically() is None


def test_a_config_of_another_app_and_broken_python_are_left_too(folder: ProjectFolder) -> None:
    for config in (f'{CONFIG}class NotesConfig(AppConfig):\n    name = "shop.orders"', "x = ("):
        folder.write({"shop/notes/apps.py": config})
        assert statically() is None


def test_settings_that_are_absent_or_no_python_are_told(folder: ProjectFolder) -> None:
    with pytest.raises(SettingsError, match="'shop.setings' does not exist"):
        static_commands("shop.setings", named_by="test")
    folder.write({"shop/settings.py": "x = ("})
    with pytest.raises(SettingsError, match="is not valid Python"):
        statically()


def test_one_name_for_two_commands_is_told(folder: ProjectFolder) -> None:
    folder.write({"shop/notes/commands/check.py": '"""Mine."""'})
    with pytest.raises(ComponentError, match="two commands are named 'check'"):
        statically()


def test_folders_without_an_init_file_are_packages_too(folder: ProjectFolder) -> None:
    for path in ("shop", "shop/notes", "shop/notes/commands"):
        (folder.path / path / "__init__.py").unlink()
    assert statically() == in_full(folder)


def test_settings_may_be_a_package(folder: ProjectFolder) -> None:
    (folder.path / "shop/settings.py").unlink()
    folder.write(
        {
            "shop/settings/__init__.py": "from .common import *",
            "shop/settings/common.py": 'INSTALLED_APPS = ["shop.orders"]',
        }
    )
    found = statically()
    assert found is not None
    assert "count_orders" in found
    assert found == in_full(folder)


def test_the_example_project_is_plain() -> None:
    folder = ROOT / "example_project"
    with isolated(folder):  # other tests import copies of it
        sys.path.insert(0, str(folder))
        found = static_commands("conduit.settings", named_by="test")
        environ = {"FASTFORGE_ENV": "test"}
        assert found == Outline.read("conduit.settings", start=folder, environ=environ).commands
    assert found is not None
    assert {"migrate", "statistics"} < {*found}
