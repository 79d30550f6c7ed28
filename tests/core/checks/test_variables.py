"""Environment variables that nothing reads are told, in the environment and in `.env`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import ProjectFolder, isolated

SETTINGS = """
    from fastforge.conf import env

    SECRET_KEY = env.secret("SHOP_SECRET_KEY", default="")
    _PORT = env("SHOP_PORT", int, default=8000)
    _REGION = env("REGION", default="eu")
    _LATER = env("SHOP_TOKEN") if _REGION == "moon" else ""
    """


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        yield folder


def told(folder: ProjectFolder, environ: Mapping[str, str]) -> list[str]:
    project = folder.load(dict(environ))
    return [str(message) for message in run_checks(project, tags=["environment"])]


def test_a_misspelt_variable_is_an_error_with_the_name_that_was_meant(
    folder: ProjectFolder,
) -> None:
    environ = {"FASTFORGE_ENV": "test", "SHOP_PROT": "s3cret", "SHOP_SECRET_KYE_FILE": "x"}
    assert told(folder, environ) == [
        "error [core.E005] nothing reads the environment variable SHOP_PROT;"
        " did you mean 'SHOP_PORT', which is not set?",
        "error [core.E005] nothing reads the environment variable SHOP_SECRET_KYE_FILE;"
        " did you mean 'SHOP_SECRET_KEY_FILE', which is not set?",
    ]


def test_a_secret_that_is_given_in_one_form_is_not_missing_in_the_other(
    folder: ProjectFolder,
) -> None:
    for given in ("SHOP_SECRET_KEY", "SHOP_SECRET_KEY_FILE"):
        environ = {"FASTFORGE_ENV": "test", given: "/dev/null", "SHOP_SEKRET_KEY": "s3cret"}
        (message,) = told(folder, environ)
        assert message.startswith("warning [core.W003] "), message


def test_ours_are_looked_at_as_well(folder: ProjectFolder) -> None:
    assert told(folder, {"FASTFORGE_EVN": "production", "FASTFORGE_SPEED": "9"}) == [
        "error [core.E005] nothing reads the environment variable FASTFORGE_EVN;"
        " did you mean 'FASTFORGE_ENV', which is not set?",
        "warning [core.W003] nothing reads the environment variable FASTFORGE_SPEED;"
        " remove it, or read it with env() in the settings",
    ]


def test_what_is_read_elsewhere_or_belongs_to_others_is_left_alone(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/clock.py": 'import os\n\nZONE = os.environ.get("SHOP_ZONE")\n'})
    environ = {
        "FASTFORGE_ENV": "test",
        "SHOP_PORT": "9000",
        "SHOP_TOKEN": "read in another environment",
        "SHOP_ZONE": "read by os.environ",
        "SHOP_SECRET_KEY_FILE": "/dev/null",
        "SHOP_SERVICE_HOST": "10.0.0.1",
        "SHOP_SERVICE_PORT_HTTP": "80",
        "SHOP_WEB_PORT": "tcp://10.0.0.1:80",
        "SHOP_PORT_80_TCP_ADDR": "10.0.0.1",
        "FASTFORGE_WEB_SERVICE_PORT": "80",
        "FASTFORGE_WEB_PORT_80_TCP": "tcp://10.0.0.1:80",
        "PATH": "/bin",
        "HOMEBREW": "1",
    }
    assert told(folder, environ) == []


def test_settings_that_are_a_package_are_no_reason_to_look_elsewhere(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings/__init__.py": "from .base import *",
                "shop/settings/base.py": SETTINGS,
                "shop/clock.py": 'import os\n\nZONE = os.environ.get("SHOP_ZONE")\n',
            }
        )
        environ = {"FASTFORGE_ENV": "test", "SHOP_ZONE": "eu", "SHOP_TOKEN": "x", "SHOP_PORTT": "1"}
        (message,) = told(folder, environ)
    assert "did you mean 'SHOP_PORT'" in message


def test_every_name_in_dotenv_is_looked_at_and_has_its_line(folder: ProjectFolder) -> None:
    folder.write(
        {
            ".env": """
            FASTFORGE_ENV=development
            # a comment
            SHOP_PORT=9000
            REGOIN=s3cret
            SMTP_HOST=s3cret
            SHOP_ZONE=eu
            COMPOSE_PROJECT_NAME=shop
            """,
            "shop/orders/clock.py": 'import os\n\nZONE = os.environ.get("SHOP_ZONE")\n',
        }
    )
    region, smtp, zone = told(folder, {})
    assert region.startswith("error [core.E005] ")
    assert ".env:4: nothing reads the environment variable REGOIN" in region
    assert "'REGION'" in region
    assert ".env:5: nothing reads the environment variable SMTP_HOST; remove it" in smtp
    # `.env` is not put into the environment, so that os.environ does not have it.
    assert zone.startswith("warning [core.W003] ")
    assert "s3cret" not in region + smtp


def test_a_prefix_that_was_left_out_is_found(folder: ProjectFolder) -> None:
    folder.write({".env": "FASTFORGE_ENV=development\nPORT=9000\n"})
    (message,) = told(folder, {})
    assert "did you mean 'SHOP_PORT', which is not set?" in message


def test_a_number_beside_a_variable_that_is_set_is_no_misspelling(folder: ProjectFolder) -> None:
    (message,) = told(folder, {"FASTFORGE_ENV": "test", "SHOP_PORT": "1", "SHOP_PORT2": "2"})
    assert message.startswith("warning [core.W003] ")
