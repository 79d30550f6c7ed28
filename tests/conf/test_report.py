"""`manage settings` and `.env.example` are derived from one load, without secrets."""

from __future__ import annotations

from pathlib import Path

from fastforge.conf import env_example, settings_report
from tests.folder import isolated

SETTINGS = """
from fastforge.conf import env

SECRET_KEY = env.secret("SECRET_KEY", help="Signs sessions")
ALLOWED_HOSTS = env("HOSTS", list[str], default=["a", "b"])
DEBUG = env("DEBUG", bool, default=False)
SILENCED_CHECKS = {
    "core.W001": "the key of " + SECRET_KEY + " is known",
}
"""


def test_each_row_has_the_value_its_place_and_its_variable(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        project = folder.load({"SECRET_KEY": "k" * 40, "DEBUG": "1"})
    rows = {row.name: row for row in settings_report(project.settings)}
    assert rows["DEBUG"].value is True
    assert rows["DEBUG"].source.endswith("shop/settings.py:5")
    assert rows["DEBUG"].variables == ("DEBUG (environment)",)
    assert rows["ALLOWED_HOSTS"].variables == ("HOSTS (default)",)
    assert rows["MIDDLEWARE"].source == "default"
    assert rows["SERVER"].value["graceful_s"] == 25


def test_a_row_has_the_variables_of_all_that_its_setting_was_made_of(tmp_path: Path) -> None:
    settings = """
from fastforge.conf import env

ALLOWED_HOSTS = [env("HOST", default="shop.example")]
ALLOWED_HOSTS += [env("OTHER_HOST", default="www.shop.example")]
"""
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": settings})
        project = folder.load({})
    rows = {row.name: row for row in settings_report(project.settings)}
    assert {*rows["ALLOWED_HOSTS"].variables} == {"HOST (default)", "OTHER_HOST (default)"}


def test_no_row_shows_a_secret_not_even_inside_another_value(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        project = folder.load({"SECRET_KEY": "k" * 40})
    rows = {row.name: row for row in settings_report(project.settings)}
    assert rows["SECRET_KEY"].value == "***"
    assert rows["SILENCED_CHECKS"].value == {"core.W001": "the key of *** is known"}


def test_the_example_lists_every_variable_and_no_value_of_a_secret(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        text = env_example(folder.load({"SECRET_KEY": "k" * 40}).settings)
    assert (
        "# Signs sessions. required, str, secret, or the path of a file in SECRET_KEY_FILE" in text
    )
    assert "\nSECRET_KEY=\n" in text
    assert "# HOSTS=a,b" in text
    assert "# DEBUG=false" in text
    assert "kkkk" not in text
