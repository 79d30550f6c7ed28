"""A settings module becomes typed values, or all of its mistakes at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.exceptions import ErrorGroup, ForgeError, SettingsError
from fastforge.project import Project
from tests.folder import ProjectFolder, isolated


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def failure(folder: ProjectFolder, settings: str, environ: dict[str, str] | None = None) -> str:
    folder.write({"shop/settings.py": settings})
    with pytest.raises(ForgeError) as caught:
        folder.load(environ)
    return str(caught.value)


def test_all_mistakes_are_reported_in_one_pass_each_with_its_line(folder: ProjectFolder) -> None:
    text = failure(
        folder,
        """
        from fastforge.conf import env
        from fastforge.core.settings import Server

        ALOWED_HOSTS = env("HOSTS", list[str])
        DEBUG = env("DEBUG", bool)
        SERVER = Server(
            graceful_s="many",
            start_dedline_s=3,
        )
        """,
        {"DEBUG": "perhaps"},
    )
    lines = text.splitlines()
    assert len(lines) == 5
    assert "shop/settings.py:4: the environment variable HOSTS is not set" in lines[0]
    assert "shop/settings.py:5: the environment variable DEBUG should be bool" in lines[1]
    assert "shop/settings.py:7: Server.graceful_s: " in lines[2]
    assert "got 'many'" in lines[2]
    assert "shop/settings.py:8: Server.start_dedline_s does not exist" in lines[3]
    assert "did you mean 'start_deadline_s'?" in lines[3]
    assert "shop/settings.py:4: no installed app reads the setting ALOWED_HOSTS" in lines[4]
    assert "did you mean 'ALLOWED_HOSTS'?" in lines[4]


def test_a_plain_dict_reports_the_same_places_as_an_object(folder: ProjectFolder) -> None:
    text = failure(
        folder,
        """
        SERVER = {
            "graceful_s": "many",
            "start_dedline_s": 3,
        }
        """,
    )
    assert "shop/settings.py:2: SERVER.graceful_s: " in text
    assert "shop/settings.py:3: SERVER.start_dedline_s does not exist" in text


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("MAX_BODY_BYTES = 1", "write SERVER = Server(max_body_bytes=...)"),
        ("SERVER_THREADS = 1", "write SERVER = Server(threads=...)"),
        ("CORS_ALLOWED_ORIGINS = []", "write CORS = Cors(allow_origins=...)"),
        ("TIMEOUT_S = 1", "remove it, install the app that reads it, or begin it with _"),
        ("SERVERS = 1", "did you mean 'SERVER'?"),
    ],
)
def test_a_field_that_is_set_by_itself_is_told_with_its_section(
    folder: ProjectFolder, written: str, told: str
) -> None:
    apps = 'INSTALLED_APPS = ["fastforge.contrib.http"]'  # its section has a timeout_s as well
    assert failure(folder, f"{apps}\n{written}\n").endswith(f"; {told}")


def test_a_plain_dict_is_accepted_and_typed(folder: ProjectFolder) -> None:
    from fastforge.core.settings import Server

    folder.write({"shop/settings.py": 'SERVER = {"graceful_s": "7"}'})
    assert folder.load().settings.section(Server).graceful_s == 7


def test_a_name_of_a_base_module_is_located_in_that_module(folder: ProjectFolder) -> None:
    folder.write({"shop/base.py": "x = 1\nMAILS = 1\n"})
    text = failure(folder, "from .base import *\n")
    assert "shop/base.py:2: no installed app reads the setting MAILS" in text


@pytest.mark.parametrize("near", ["pool_sze", "wrong"])
def test_a_field_of_a_plain_dict_that_does_not_exist_is_told_with_those_that_do(
    folder: ProjectFolder, near: str
) -> None:
    text = failure(
        folder,
        f"""
        INSTALLED_APPS = ["fastforge.contrib.db"]
        DATABASES = {{"default": {{"url": "sqlite+aiosqlite:///db.sqlite3", {near!r}: 3}}}}
        """,
    )
    hint = "did you mean 'pool_size'?" if near == "pool_sze" else "it has url, "
    assert f"DATABASES.default.{near} does not exist; {hint}" in text


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ("INSTALLED_APPS = ['json.nope',\n    'shop']\nINSTALLED_APPS += ['shop']\n", "py:1"),
        ("INSTALLED_APPS = ['shop']\nINSTALLED_APPS += ['json',\n    'json.nope']\n", "py:3"),
        ("INSTALLED_APPS = ['shop',\n    *['json'], 'json.nope',\n    'shop']\n", "py:1"),
        ("INSTALLED_APPS = ['shop']\nINSTALLED_APPS.insert(0, 'json.nope')\n", "py:1"),
        ("_OTHERS = ['shop']\nINSTALLED_APPS = _OTHERS\nINSTALLED_APPS += ['json.nope']", "py:3"),
    ],
)
def test_an_entry_is_located_where_it_was_written_not_where_the_list_was_added_to(
    folder: ProjectFolder, settings: str, place: str
) -> None:
    lines = failure(folder, settings).splitlines()
    assert any(f"shop/settings.{place}: " in line and "'json.nope'" in line for line in lines)


def test_a_key_that_is_set_by_itself_hides_no_other_one(folder: ProjectFolder) -> None:
    text = failure(
        folder,
        """
        SILENCED_CHECKS = {"core.W001": 7}
        SILENCED_CHECKS["core.W002"] = 8
        SILENCED_CHECKS |= {
            "core.W003": 9,
        }
        """,
    )
    assert [line.partition(": ")[0].rpartition("/")[2] for line in text.splitlines()] == [
        "settings.py:1",
        "settings.py:2",
        "settings.py:4",
    ]


def test_a_package_that_begins_with_the_name_of_pydantic_is_the_users(
    folder: ProjectFolder,
) -> None:
    settings = 'from fastforge.conf import env\n\nDEBUG = env("DEBUG", bool)\n'
    folder.write({"pydantic_shop/__init__.py": "", "pydantic_shop/settings.py": settings})
    with pytest.raises(ErrorGroup, match=r"pydantic_shop/settings\.py:3: the environment variable"):
        Project.load("pydantic_shop.settings", start=folder.path, environ={})


def test_a_settings_package_may_star_import_its_own_modules(folder: ProjectFolder) -> None:
    """They run once, and not before there is somebody who notes what they read."""
    folder.write({"shop/settings/base.py": "from fastforge.conf import env\nX = env('X')\n"})
    folder.write({"shop/settings/__init__.py": "from .base import *\n"})
    with pytest.raises(ForgeError, match=r"shop/settings/base\.py:2: no installed app reads"):
        folder.load({"FASTFORGE_ENV": "test", "X": "1"})


def test_base_dir_and_names_with_an_underscore_are_free(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": "BASE_DIR = 1\n_PRIVATE = 2\nlower = 3\n"})
    assert "BASE_DIR" not in folder.load().settings


def test_two_loads_with_different_environments_differ(folder: ProjectFolder) -> None:
    settings = 'from fastforge.conf import env\nDEBUG = env("D", bool, default=False)'
    folder.write({"shop/settings.py": settings})
    assert folder.load({"D": "1"}).settings.debug is True
    assert folder.load({}).settings.debug is False


def test_a_settings_module_that_does_not_exist_suggests_the_nearest(folder: ProjectFolder) -> None:
    from fastforge import Project

    folder.write({"shop/settings.py": ""})
    with pytest.raises(SettingsError) as caught:
        Project.load("shop.setings", start=folder.path)
    assert caught.value.code == "conf.E001"
    assert caught.value.hint == "did you mean 'shop.settings'?"


def test_a_package_that_does_not_exist_is_one_line(folder: ProjectFolder) -> None:
    from fastforge import Project

    with pytest.raises(SettingsError, match="does not exist") as caught:
        Project.load("shoop.settings", start=folder.path)
    assert "\n" not in str(caught.value)


def test_no_settings_module_says_how_to_name_one(folder: ProjectFolder) -> None:
    from fastforge import Project

    with pytest.raises(SettingsError, match="no settings module is named") as caught:
        Project.load(start=folder.path, environ={})
    assert "FASTFORGE_SETTINGS_MODULE" in caught.value.hint


def test_pyproject_names_the_settings_module(folder: ProjectFolder) -> None:
    from fastforge import Project

    folder.write(
        {"shop/settings.py": "", "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n'}
    )
    (folder.path / "deep").mkdir()
    project = Project.load(start=folder.path / "deep", environ={})
    assert project.settings.root == folder.path


def test_a_failing_settings_module_is_one_line_with_its_own_place(folder: ProjectFolder) -> None:
    text = failure(folder, "x = 1\ny = x / 0\n")
    assert "shop/settings.py:2: the settings module fails: ZeroDivisionError" in text
    assert "\n" not in text


def test_a_syntax_error_is_one_line_with_its_place(folder: ProjectFolder) -> None:
    text = failure(folder, "x = 1\ndef broken(:\n")
    assert "shop/settings.py:2: the settings module is not valid Python" in text


def test_a_failure_after_a_missing_variable_reports_the_cause(folder: ProjectFolder) -> None:
    text = failure(
        folder, 'from fastforge.conf import env\nN = int(env("N")[5]) // 0 and {}["x"]\n', {}
    )
    assert "the environment variable N is not set" in text


def test_a_dotenv_file_is_read_in_development_only(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/settings.py": 'from fastforge.conf import env\nSECRET_KEY = env("K", default="")',
            ".env": "FASTFORGE_ENV=development\nK='from file'\n",
        }
    )
    assert folder.load({}).settings["SECRET_KEY"] == "from file"
    assert folder.load({}).settings.debug is True
    assert folder.load({"K": "real"}).settings["SECRET_KEY"] == "real"
    assert folder.load({"FASTFORGE_ENV": "production"}).settings["SECRET_KEY"] == ""


def test_an_unset_environment_is_production(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": ""})
    project = folder.load({})
    assert (project.settings.environment, project.settings.debug) == ("production", False)


def test_an_unknown_environment_and_a_bad_dotenv_line_are_located(folder: ProjectFolder) -> None:
    folder.write({".env": "A=1\nthis is = = 'no line\nFASTFORGE_ENV=prodution\n"})
    text = failure(folder, "", {})
    assert ".env:2: a line of .env cannot be read" in text
    assert ".env:3: FASTFORGE_ENV is 'prodution'" in text
    assert "did you mean 'production'?" in text


def test_a_password_in_a_wrong_value_is_masked(folder: ProjectFolder) -> None:
    text = failure(folder, 'SERVER = {"graceful_s": "redis://u:hunter2@h/0"}')
    assert "hunter2" not in text
    assert "conf.E006" in text


def test_a_required_setting_that_is_missing_is_named(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the file in which to write it, by the same path as in every other error."""
    monkeypatch.chdir(folder.path)
    folder.write(
        {
            "shop/mail/settings.py": """
                from fastforge.conf import Section

                class Mail(Section):
                    \"\"\"Where mail goes out.\"\"\"

                    sender: str
                """,
            "shop/mail/apps.py": """
                from fastforge.apps import AppConfig
                from .settings import Mail

                class MailConfig(AppConfig):
                    name = "shop.mail"
                    settings = (Mail,)
                """,
        }
    )
    text = failure(folder, 'INSTALLED_APPS = ["shop.mail"]')
    assert (
        "[conf.E018] shop/settings.py: the setting MAIL is missing;"
        ' write "from shop.mail.settings import Mail" and "MAIL = Mail(sender=...)":'
        " Where mail goes out." in text
    )


def test_errors_can_be_told_apart(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": "NOPE = 1\nNADA = 2\n"})
    with pytest.raises(ErrorGroup) as caught:
        folder.load()
    assert [error.code for error in caught.value.errors] == ["conf.E017", "conf.E017"]


def test_installed_apps_that_are_no_list_are_one_line(folder: ProjectFolder) -> None:
    text = failure(folder, 'INSTALLED_APPS = "shop.orders"\n')
    assert "shop/settings.py:1: INSTALLED_APPS is a str, not a list" in text
    assert "\n" not in text


def test_an_optional_local_module_may_be_absent_and_a_strangers_is_not_run_again(
    folder: ProjectFolder,
) -> None:
    import json

    folder.write(
        {
            "shop/settings.py": """
                try:
                    from .local import *
                except ImportError:
                    pass
                from json import *
                """
        }
    )
    assert folder.load().settings.module == "shop.settings"
    import sys

    assert sys.modules["json"] is json


def test_a_base_module_that_is_absent_is_one_line(folder: ProjectFolder) -> None:
    text = failure(folder, "x = 1\nfrom .bse import *\n")
    assert "shop/settings.py:2: the settings module fails: ModuleNotFoundError" in text


def test_a_dotenv_file_that_is_no_text_is_one_line(folder: ProjectFolder) -> None:
    (folder.path / ".env").write_bytes(b"A=\xff\xfe\n")
    assert ".env cannot be read: it is not UTF-8 text" in failure(folder, "", {})


def test_a_failure_inside_a_function_is_located_where_it_is_raised(folder: ProjectFolder) -> None:
    text = failure(folder, "def f():\n    NOPE = 1\n    return {}['x']\nX = f()\n")
    assert "shop/settings.py:3: the settings module fails: KeyError" in text


def test_a_missing_variable_inside_a_dict_is_reported_once(folder: ProjectFolder) -> None:
    text = failure(
        folder, 'from fastforge.conf import env\nSERVER = {"graceful_s": env("GRACEFUL")}\n', {}
    )
    assert "the environment variable GRACEFUL is not set" in text
    assert "\n" not in text


def test_a_failing_app_shows_no_password_and_one_line(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/orders/models.py": "",
            "shop/orders/routes.py": """
        raise ValueError("postgresql://u:hunter2@h/d\\nand more")
        """,
        }
    )
    text = failure(folder, 'INSTALLED_APPS = ["shop.orders"]')
    assert "ValueError: postgresql://u:***@h/d" in text
    assert "\n" not in text
