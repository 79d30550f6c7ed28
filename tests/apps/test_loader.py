"""INSTALLED_APPS becomes AppConfigs, or one line for each bad entry."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge.apps import load_apps
from fastforge.conf import App
from fastforge.exceptions import ErrorGroup, Location
from tests.folder import ProjectFolder, isolated

CONFIG = """
from fastforge.apps import AppConfig

class {0}(AppConfig):
    name = "{1}"
    {2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        sys.path.insert(0, str(tmp_path))
        folder.write({"shop/orders/routes.py": "", "shop/mail/apps.py": "", "shop/file.py": ""})
        yield folder


def problems(*entries: Any) -> list[str]:
    with pytest.raises(ErrorGroup) as caught:
        load_apps(entries, locate=lambda _: Location("settings.py", 3))
    return [str(error) for error in caught.value.errors]


def test_a_plain_package_is_an_app(folder: ProjectFolder) -> None:
    [app] = load_apps([App("shop.orders", prefix="/api")], locate=lambda _: None)
    assert (app.name, app.label, app.prefix) == ("shop.orders", "orders", "/api")
    assert app.commands == "shop.orders.commands"


def test_an_app_config_is_found_in_apps_py(folder: ProjectFolder) -> None:
    folder.write({"shop/mail/apps.py": CONFIG.format("MailConfig", "shop.mail", "label = 'post'")})
    [app] = load_apps(["shop.mail"], locate=lambda _: None)
    assert (type(app).__name__, app.label) == ("MailConfig", "post")


def test_every_bad_entry_is_reported_at_the_place_of_the_setting(folder: ProjectFolder) -> None:
    found = problems("shop.ordres", "shopp.mail", 7, App("shop.orders", prefix="api/"), "shop.file")
    assert len(found) == 5
    assert "settings.py:3: no app 'shop.ordres' can be imported" in found[0]
    assert "did you mean 'shop.orders'?" in found[0]
    assert "did you mean 'shop.mail'?" in found[1]
    assert "7 is no app" in found[2]
    assert "the prefix 'api/' of shop.orders is no path" in found[3]
    assert "'shop.file' is a module, not a package" in found[4]


@pytest.mark.parametrize("prefix", ["/orgs/{org", "/orgs/{my-org}", "/orgs/{}"])
def test_a_prefix_has_whole_parameters(folder: ProjectFolder, prefix: str) -> None:
    load_apps([App("shop.orders", prefix="/orgs/{org}/v{number:int}")], locate=lambda _: None)
    (found,) = problems(App("shop.orders", prefix=prefix))
    assert f"the prefix {prefix!r} of shop.orders is no path" in found


def test_an_app_that_fails_to_import_is_told_from_one_that_is_absent(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/__init__.py": "x = 1\nimport nowhere_at_all\n"})
    [line] = problems("shop.orders")
    assert "orders/__init__.py:2: the app 'shop.orders' does not load: ModuleNotFound" in line


def test_a_missing_package_with_the_beginning_of_the_apps_name_is_told(
    folder: ProjectFolder,
) -> None:
    folder.write({"depotshop/__init__.py": "import depot\n", "depotshop/orders/__init__.py": ""})
    [problem] = problems("depotshop.orders")
    assert "depotshop/__init__.py:1: the app 'depotshop.orders' does not load" in problem
    assert "No module named 'depot'" in problem


def test_apps_py_that_fails_is_located(folder: ProjectFolder) -> None:
    folder.write({"shop/mail/apps.py": "x = 1\nx.y\n"})
    [line] = problems("shop.mail")
    assert "mail/apps.py:2: shop.mail.apps does not load: AttributeError" in line


def test_an_app_twice_or_a_label_twice_is_refused(folder: ProjectFolder) -> None:
    folder.write({"shop/mail/apps.py": CONFIG.format("C", "shop.mail", "label = 'orders'")})
    assert "is installed twice" in problems("shop.orders", "shop.orders")[0]
    assert "share the label 'orders'" in problems("shop.orders", "shop.mail")[0]


def test_a_requirement_has_to_stand_before(folder: ProjectFolder) -> None:
    folder.write(
        {"shop/mail/apps.py": CONFIG.format("C", "shop.mail", "requires = ('shop.orders',)")}
    )
    [absent] = problems("shop.mail")
    assert "requires 'shop.orders', which is not installed" in absent
    [late] = problems("shop.mail", "shop.orders")
    assert "requires 'shop.orders', which stands after it" in late
    assert len(load_apps(["shop.orders", "shop.mail"], locate=lambda _: None)) == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('requires = "shop.orders"', "requires of Mail is 'shop.orders', not a tuple"),
        ("settings = dict", "settings of Mail is dict, not a tuple"),
    ],
)
def test_a_forgotten_comma_is_told(line: str, told: str, folder: ProjectFolder) -> None:
    text = f"from fastforge.apps import AppConfig\n\n\nclass Mail(AppConfig):\n    {line}\n"
    folder.write({"shop/mail/apps.py": text})
    [error] = problems("shop.mail")
    assert error.startswith(f"[apps.E010] settings.py:3: {told}; write ")


def test_two_configs_in_one_app_are_refused(folder: ProjectFolder) -> None:
    text = CONFIG.format("A", "shop.mail", "") + CONFIG.format("B", "shop.mail", "")
    folder.write({"shop/mail/apps.py": text})
    assert "several AppConfigs: A, B" in problems("shop.mail")[0]


def test_a_config_may_leave_its_name_out_and_may_not_give_another(folder: ProjectFolder) -> None:
    text = CONFIG.replace('name = "{1}"', "").format("C", "", "label = 'post'")
    folder.write({"shop/mail/apps.py": text})
    [app] = load_apps(["shop.mail"], locate=lambda _: None)
    assert (app.name, app.label) == ("shop.mail", "post")
    folder.write({"shop/sms/apps.py": CONFIG.format("C", "shop.mail", "")})
    assert "the AppConfig of 'shop.sms' says that it is 'shop.mail'" in problems("shop.sms")[0]
