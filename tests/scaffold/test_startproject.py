"""startproject writes files that hold for every name, and never over others."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import stat
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath
from subprocess import CompletedProcess

import pytest

from fastforge import __version__
from fastforge.scaffold import new_project
from tests.commanding import python
from tests.processes import fetch, free_port, run, start, wait_until

MINIMAL = {
    ".env",
    ".gitignore",
    "manage.py",
    "pyproject.toml",
    "shop/__init__.py",
    "shop/asgi.py",
    "shop/settings.py",
}
FILES = MINIMAL | {
    ".dockerignore",
    ".env.example",
    "AGENTS.md",
    "Dockerfile",
    "README.md",
    "tests/test_project.py",
}
MOST_FILES = 14
LONG_NAME = "a_rather_long_name_for_a_project_which_nobody_would_like_to_type_but_somebody_has"
PROGRAMS = Path(sys.executable).parent


def fastforge(folder: Path, *arguments: str, **variables: str) -> CompletedProcess[str]:
    return python(["-m", "fastforge", *arguments], cwd=folder, env=variables)


def manage(project: Path, *arguments: str, **variables: str) -> str:
    result = python(["manage.py", *arguments], cwd=project, env=variables)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
    return result.stdout


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, as `startproject` leaves it."""
    folder = tmp_path_factory.mktemp("new")
    result = fastforge(folder, "startproject", "shop")
    assert (result.returncode, result.stderr) == (0, "")
    return folder / "shop"


@pytest.fixture
def shop(written: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(written, tmp_path / "copy")


# --- what is written -----------------------------------------------------------------------------


def test_it_has_these_files(written: Path) -> None:
    assert files_of(written) == FILES
    assert len(FILES) <= MOST_FILES


def test_the_smallest_one_has_these_and_works(tmp_path: Path) -> None:
    assert fastforge(tmp_path, "startproject", "shop", "--minimal").returncode == 0
    assert files_of(tmp_path / "shop") == MINIMAL
    assert "no problems" in manage(tmp_path / "shop", "check")
    assert "applied: jobs.0001_initial" in manage(tmp_path / "shop", "migrate")


def test_its_secret_is_fresh_and_for_its_owner_alone(written: Path) -> None:
    texts = {(written / ".env").read_text(), new_project("shop").files[".env"]}
    assert len(texts) == 2
    assert all(re.search(r"^SECRET_KEY=\S{64}$", text, re.MULTILINE) for text in texts)
    assert all(text.count("FASTFORGE_ENV=development\n") == 1 for text in texts)
    assert stat.S_IMODE((written / ".env").stat().st_mode) == 0o600
    ignored = (written / ".gitignore").read_text().splitlines()
    assert {".env", "*.key"} <= set(ignored)  # SECRET_KEY_FILE=secret.key, as the tutorial has it
    assert os.access(written / "manage.py", os.X_OK)


def test_its_pyproject_names_our_distribution_and_a_version_that_holds(written: Path) -> None:
    """The plain name on the package index belongs to somebody else."""
    content = tomllib.loads((written / "pyproject.toml").read_text())
    assert content["tool"]["fastforge"] == {"settings": "shop.settings"}
    assert content["tool"]["fastapi"] == {"entrypoint": "shop.asgi:app"}
    (dependency,) = content["project"]["dependencies"]
    assert dependency.startswith(f"fastforge-framework>={__version__},<")
    for path in files_of(written):
        text = (written / path).read_text()
        assert not re.search(r"(?:install|[\"'])\s*fastforge(?!-framework)[\[\"'><=~ ]", text), path


def test_installing_it_copies_nothing_of_it(written: Path, tmp_path: Path) -> None:
    """A copy would grow old in site-packages; in the image only pyproject.toml is there yet."""
    (tmp_path / "image").mkdir()
    shutil.copy(written / "pyproject.toml", tmp_path / "image")
    for folder in (written, tmp_path / "image"):
        build = ["-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheels")]
        result = run([sys.executable, *build], cwd=folder)
        assert result.returncode == 0, result.stdout + result.stderr
        (wheel,) = (tmp_path / "wheels").glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            assert [name for name in archive.namelist() if ".dist-info/" not in name] == []
        wheel.unlink()


def test_its_sample_of_the_environment_is_what_the_settings_say(shop: Path) -> None:
    assert manage(shop, "settings", "--env-example") == (shop / ".env.example").read_text()


def test_its_page_for_agents_is_half_a_page(written: Path) -> None:
    assert len((written / "AGENTS.md").read_text().splitlines()) <= 50


@pytest.mark.parametrize("name", ["s", "Shop2", LONG_NAME])
def test_it_is_clean_whatever_its_name(name: str, tmp_path: Path) -> None:
    """The type checkers read the same code in the first hour; only lengths and order differ."""
    assert fastforge(tmp_path, "startproject", name, ".").returncode == 0
    for command in (["check"], ["format", "--check"]):
        result = run([PROGRAMS / "ruff", *command, "--no-cache"], cwd=tmp_path)
        assert result.returncode == 0, result.stdout
    assert tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]["name"] == name


# --- its image -----------------------------------------------------------------------------------


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile and what follows each."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE))
    lines = (line.split(maxsplit=1) for line in joined.splitlines() if line)
    return [(keyword, rest) for keyword, rest in lines]


def is_left_out(path: str, patterns: list[str]) -> bool:
    """Whether `.dockerignore` has the file, or a folder around it."""
    places = [path, *map(str, PurePosixPath(path).parents)]
    tails = [
        "/".join(place.split("/")[n:]) for place in places for n in range(place.count("/") + 1)
    ]
    return any(
        fnmatch.fnmatchcase(place, pattern.removeprefix("**/"))
        for pattern in patterns
        for place in (tails if pattern.startswith("**/") else places)
        if place.count("/") == pattern.removeprefix("**/").count("/")
    )


def test_the_image_has_the_code_and_no_secret(written: Path) -> None:
    lines = (written / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    image = {path for path in files_of(written) if not is_left_out(path, patterns)}
    assert MINIMAL - image == {".env", ".gitignore"}
    for made in ("db.sqlite3-wal", "shop/a.sqlite3", ".git/HEAD", ".venv/bin/x", ".mypy_cache/x"):
        assert is_left_out(made, patterns), made
    assert is_left_out("secret.key", patterns)
    assert is_left_out("shop/__pycache__/asgi.cpython-311.pyc", patterns)


def test_its_dockerfile_copies_what_is_there_and_does_not_run_as_root(written: Path) -> None:
    found = instructions((written / "Dockerfile").read_text())
    keywords = [keyword for keyword, _ in found]
    assert keywords[0] == "FROM"
    for keyword, rest in found:
        if keyword == "COPY" and not rest.startswith("--from="):
            *sources, _ = rest.split()
            assert all((written / source).exists() for source in sources), rest
    user, _, group = dict(found)["USER"].partition(":")
    assert int(user) and int(group)
    assert any(keyword == "RUN" and f"useradd --uid {user} " in rest for keyword, rest in found)
    assert keywords.index("USER") > max(n for n, each in enumerate(keywords) if each == "RUN")
    assert dict(found)["FROM"] == f"python:{sys.version_info[0]}.{sys.version_info[1]}-slim"


def test_its_image_serves_in_production_until_told_to_stop(shop: Path, tmp_path: Path) -> None:
    """The command of the image, without a `.env` and with the variables of production."""
    (shop / ".env").unlink()
    variables = {
        "FASTFORGE_ENV": "production",
        "SECRET_KEY": "only-for-this-test-k8Zq1vN0yT-4sWbJm7Rc",
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'shop.sqlite3'}",
    }
    manage(shop, "migrate", **variables)
    python, *command = json.loads(dict(instructions((shop / "Dockerfile").read_text()))["CMD"])
    assert (python, command[-1]) == ("python", "0.0.0.0:8000")
    port = free_port()
    argv = [sys.executable, *command[:-1], f"127.0.0.1:{port}"]
    with start(argv, cwd=shop, env=variables) as server:
        answer = wait_until(
            lambda: server.alive and fetch(f"http://127.0.0.1:{port}/nowhere"), describe=server
        )
        assert answer and answer.status == 404
        server.terminate()
        assert server.wait() == 0, server


# --- where it is written -------------------------------------------------------------------------


def test_the_next_steps_can_be_pasted(tmp_path: Path) -> None:
    for folder, first in [("my shop", "cd 'my shop'"), (".", "python manage.py migrate")]:
        result = fastforge(tmp_path, "startproject", "shop", folder)
        assert result.stdout.partition("\nNext:\n")[2].splitlines()[0].strip() == first


def test_nothing_is_ever_written_over(written: Path) -> None:
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    result = fastforge(written.parent, "startproject", "shop")
    assert result.returncode == 2
    assert result.stderr == (
        "error: [scaffold.E004] shop/.dockerignore, shop/.env, shop/.env.example and 10 more exist"
        " already; choose another folder, or move them away: nothing is written over\n"
    )
    assert all(path.read_bytes() == content for path, content in before.items())


def test_one_file_in_the_way_is_enough(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    result = fastforge(tmp_path, "startproject", "shop", ".")
    assert result.stderr.startswith("error: [scaffold.E004] README.md exists already;")
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    result = fastforge(tmp_path, "startproject", "shop", "there", "--dry-run")
    assert result.returncode == 0
    names = [line.removeprefix("would write there/") for line in result.stdout.splitlines()]
    assert set(names) == FILES
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("file", "a" * 300):
        result = fastforge(tmp_path, "startproject", "shop", folder)
        assert result.returncode == 2
        line = rf"error: \[scaffold\.E005\] {folder}.* cannot be written: .*\n"
        assert re.fullmatch(line, result.stderr), result.stderr
