"""`manage deploy` writes the same files for everybody, and never over others unasked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import clean_environment

from .conftest import SECRET, Shop, new_shop

PLATFORMS = ("docker", "compose", "kubernetes", "systemd")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_file_says_what_made_it(platform: str, shop: Shop) -> None:
    shop.manage("deploy", platform)
    assert shop.files()
    for name, text in shop.files().items():
        assert text.startswith(f"# Written by `python manage.py deploy {platform}`;"), name


def test_files_that_say_something_else_stay_as_they_are_unless_forced(shop: Shop) -> None:
    shop.manage("deploy", "compose")
    written = shop.files()
    for name in written:
        (shop.folder / name).write_text("mine\n")
    _, error = shop.manage("deploy", "compose", code=2)
    assert error == (
        "error: [deploy.E001] compose.yaml, production.env.example say something else already;"
        " --diff shows what would change, --force writes over what is there\n"
    )
    assert set(shop.files().values()) == {"mine\n"}
    output, _ = shop.manage("deploy", "compose", "--force")
    assert output.startswith("edited compose.yaml\nedited production.env.example\n")
    assert shop.files() == written


def test_one_file_in_the_way_keeps_the_others_from_being_written(shop: Shop) -> None:
    (shop.folder / "compose.yaml").write_bytes(b"\xff no text\n")
    _, error = shop.manage("deploy", "compose", code=2)
    assert "compose.yaml says something else already" in error
    assert not (shop.folder / "production.env.example").exists()
    shop.manage("deploy", "compose", "--force")
    assert "services:" in shop.text("compose.yaml")


def test_what_is_as_it_would_be_is_not_in_the_way(shop: Shop) -> None:
    shop.manage("deploy", "kubernetes")
    (shop.folder / "deploy/kubernetes/web.yaml").unlink()
    output, _ = shop.manage("deploy", "kubernetes")
    assert output.startswith("wrote deploy/kubernetes/web.yaml\n\nNext:\n")
    output, _ = shop.manage("deploy", "kubernetes")
    assert output == "nothing to write: the files are as they would be\n"


def test_a_difference_is_shown_as_a_patch_and_by_the_exit_code(shop: Shop) -> None:
    before = shop.files()
    patch, _ = shop.manage("deploy", "compose", "--diff", code=1)
    assert shop.files() == before
    subprocess.run(
        ["patch", "--strip=1", "--quiet"], input=patch, text=True, cwd=shop.folder, check=True
    )
    assert shop.manage("deploy", "compose", "--diff") == ("", "")
    with (shop.folder / "compose.yaml").open("a") as file:
        file.write("# mine\n")
    patch, _ = shop.manage("deploy", "compose", "--diff", code=1)
    assert "\n-# mine\n" in patch
    assert "production.env" not in patch


def test_they_are_written_into_the_folder_that_is_named(shop: Shop) -> None:
    shop.manage("deploy", "kubernetes", "cluster")
    assert {Path(name).parent.name for name in shop.files()} == {"cluster"}


def test_they_do_not_depend_on_the_machine_where_they_are_written(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nor on the environment, whose values are those of whoever develops; nor on secrets there."""
    other = new_shop(tmp_path_factory.mktemp("other"))
    (other.folder / ".env").write_text(f"FASTFORGE_ENV=development\nPARTNERS=9\nREGION={SECRET}\n")
    environ = {
        "SECRET_KEY": SECRET,
        "DATABASE_URL": f"postgresql+psycopg://me:{SECRET}@elsewhere/db",
        "REDIS_URL": f"redis://:{SECRET}@elsewhere",
        "ALLOWED_HOSTS": SECRET,
    }
    for platform in PLATFORMS:
        shop.manage("deploy", platform)
        other.manage("deploy", platform, env=environ)
    (other.folder / ".env").unlink()
    assert other.files() == shop.files()
    assert SECRET not in "".join(shop.files().values())
    assert "only-a-default" not in "".join(shop.files().values())


def test_a_required_variable_without_a_usable_sample_has_to_be_set(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    settings = shop.folder / "shop/settings.py"
    text = settings.read_text()
    settings.write_text(text.replace(', default="sqlite+aiosqlite:///db.sqlite3"', ""))
    _, error = shop.manage("deploy", "docker", code=2)
    assert "[conf.E007] shop/settings.py:" in error
    shop.manage(
        "deploy",
        "docker",
        env={
            "DATABASE_URL": "postgresql+psycopg://a@b/c",
            "SECRET_KEY": SECRET,
            "REGION": "here",
        },
    )
    assert (shop.folder / "Dockerfile").exists()


def test_a_sqlite_file_that_no_variable_replaces_is_refused_where_it_would_be_lost(
    tmp_path: Path,
) -> None:
    url = "sqlite+aiosqlite:///db.sqlite3"
    shop = new_shop(tmp_path, settings=f'DATABASES = {{"default": Database(url="{url}")}}')
    for platform in ("compose", "kubernetes"):
        _, error = shop.manage("deploy", platform, code=2)
        assert error.startswith("error: [deploy.E002] shop/settings.py:")
        assert 'Database(url=env("DATABASE_URL"' in error
    shop.manage("deploy", "systemd")


def test_a_driver_that_is_missing_is_among_the_next_steps(shop: Shop) -> None:
    shop.manage("deploy", "docker")
    output, _ = shop.manage("deploy", "compose")
    assert "[postgres]" not in output
    file = shop.folder / "pyproject.toml"
    file.write_text(file.read_text().replace("[postgres,redis]", ""))
    shop.manage("deploy", "docker")
    (shop.folder / "compose.yaml").unlink()
    step = 'add "fastforge-framework[postgres]" to the dependencies in pyproject.toml'
    for platform in ("compose", "kubernetes", "systemd"):
        output, _ = shop.manage("deploy", platform)
        assert f"Next:\n  {step}\n" in output


def test_another_settings_module_is_named_in_the_files(shop: Shop) -> None:
    (shop.folder / "shop/staging.py").write_text("from .settings import *\n")
    shop.manage("--settings", "shop.staging", "deploy", "docker")
    shop.manage("--settings", "shop.staging", "deploy", "systemd")
    assert "ENV FASTFORGE_SETTINGS_MODULE=shop.staging\n" in shop.text("Dockerfile")
    unit = shop.text("deploy/systemd/shop-web.service")
    assert "Environment=FASTFORGE_SETTINGS_MODULE=shop.staging\n" in unit


def test_help_says_what_can_be_written(shop: Shop) -> None:
    output, _ = shop.manage("deploy", "--help")
    assert all(f"  {platform} " in output for platform in PLATFORMS)


def test_what_the_settings_say_of_a_variable_fits_in_a_line(tmp_path: Path) -> None:
    """Neither its help nor its default can add lines of its own, or show a password."""
    settings = """
    _TEXT = env("TEXT", default="a\\nEVIL=1", help="One\\nEVIL=2")
    _HOOK = env("HOOK", default="https://me:geheim@example.com/")
    """
    shop = new_shop(tmp_path, settings=settings)
    for platform in ("kubernetes", "systemd"):
        shop.manage("deploy", platform)
    text = "".join(shop.files().values())
    assert "\n# One EVIL=2; str\n# TEXT=a EVIL=1\n" in text
    assert "\nEVIL" not in text
    assert "geheim" not in text


def test_a_long_name_is_as_long_as_a_user_or_a_label_may_be(tmp_path: Path) -> None:
    package = "a_" + "long_" * 18 + "name"
    made = [sys.executable, "-m", "fastforge", "startproject", package, "."]
    subprocess.run(made, cwd=tmp_path, env=clean_environment(), check=True, capture_output=True)
    shop = Shop(folder=tmp_path)
    shop.manage("deploy", "kubernetes")
    (service, *_) = shop.documents("deploy/kubernetes/web.yaml")
    assert service["metadata"]["name"] == "a-long-long-long-long-long-long"
