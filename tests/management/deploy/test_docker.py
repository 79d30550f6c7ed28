"""The Dockerfile passes its linter, and its steps do here what they would do in an image."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import clean_environment, fetch, free_port, run, start, wait_until

from .conftest import SECRET, Shop, new_shop

HADOLINT = Path(sys.executable).parent / "hadolint"
USER = 10001
LOCKS = {
    "uv.lock": "uv sync --locked",
    "requirements.txt": "pip install --requirement requirements.txt",
}


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile and what follows each."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE))
    lines = (line.split(maxsplit=1) for line in joined.splitlines() if line)
    return [(keyword, rest) for keyword, rest in lines]


def lint(dockerfile: Path) -> None:
    command = [HADOLINT, "--no-color", dockerfile]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_new_project_has_what_would_be_written(tmp_path: Path) -> None:
    made = [sys.executable, "-m", "fastforge", "startproject", "shop", "."]
    subprocess.run(made, cwd=tmp_path, env=clean_environment(), check=True, capture_output=True)
    shop = Shop(folder=tmp_path)
    assert shop.manage("deploy", "docker", "--diff") == ("", "")
    lint(tmp_path / "Dockerfile")


def test_it_runs_as_somebody_known_by_number_and_hears_signals_itself(deployed: Shop) -> None:
    lint(deployed.folder / "Dockerfile")
    found = dict(instructions(deployed.text("Dockerfile")))
    assert found["USER"] == f"{USER}:{USER}"
    assert json.loads(found["CMD"]) == ["python", "manage.py", "runserver", "0.0.0.0:8000"]
    assert json.loads(found["HEALTHCHECK"].partition("CMD ")[2])[:2] == ["python", "-c"]
    assert "ENTRYPOINT" not in found


@pytest.mark.parametrize("lock", LOCKS)
def test_what_locks_the_versions_is_what_is_installed(lock: str, shop: Shop) -> None:
    (shop.folder / lock).write_text("")
    shop.manage("deploy", "docker")
    steps = [rest for keyword, rest in instructions(shop.text("Dockerfile")) if keyword == "RUN"]
    assert any(LOCKS[lock] in step for step in steps)
    lint(shop.folder / "Dockerfile")


def test_without_a_lock_it_is_what_pyproject_names(deployed: Shop, tmp_path: Path) -> None:
    """The step itself is run, with a `pip` that only looks."""
    found = instructions(deployed.text("Dockerfile"))
    (step,) = (rest for keyword, rest in found if keyword == "RUN" and "tomllib" in rest)
    shutil.copy(deployed.folder / "pyproject.toml", tmp_path)
    asked = "#!/bin/sh\n[ \"$*\" = 'install --requirement requirements.txt' ]\n"
    (tmp_path / "pip").write_text(asked)
    (tmp_path / "pip").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-c", step], cwd=tmp_path, env={"PATH": path}, check=True)
    wanted = (tmp_path / "requirements.txt").read_text()
    assert wanted == "fastforge-framework[postgres,redis]\n"


def test_a_project_that_names_no_dependencies_is_refused(shop: Shop) -> None:
    (shop.folder / "pyproject.toml").write_text('[tool.fastforge]\nsettings = "shop.settings"\n')
    _, error = shop.manage("deploy", "docker", code=2)
    assert error.startswith("error: [deploy.E003] pyproject.toml: nothing says what the image has")


def test_elsewhere_what_is_left_out_has_the_name_that_docker_looks_for(shop: Shop) -> None:
    shop.manage("deploy", "docker", "ops")
    assert set(shop.files()) == {"ops/Dockerfile", "ops/Dockerfile.dockerignore"}


# --- the image -----------------------------------------------------------------------------------


@pytest.fixture
def app() -> Iterator[Path]:
    """A folder that everybody may read, as `/app` in an image."""
    with tempfile.TemporaryDirectory(prefix="fastforge-image-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def by_its_user(argv: list[str]) -> list[str]:
    """A command by the user of the image, where we may become it and it may read our Python."""
    become = f"import os, sys; os.setgroups([]); os.setgid({USER}); os.setuid({USER});"
    command = [sys.executable, "-c", f"{become} os.execv(sys.argv[1], sys.argv[1:])"]
    tried = run([*command, sys.executable, "-c", "import fastforge"])
    return [*command, *argv] if tried.returncode == 0 else argv


def test_the_image_serves_from_a_folder_that_it_cannot_write(app: Path) -> None:
    """Its command, as its user, with the variables of production; its health check says so."""
    shop = new_shop(app, settings='\n    INSTALLED_APPS = ["shop"]\n    del DATABASES, REDIS\n')
    shop.manage("deploy", "docker")
    found = dict(instructions(shop.text("Dockerfile")))
    subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=app, check=True)
    before = {path: path.stat().st_mtime_ns for path in app.rglob("*")}
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    _, *command = json.loads(found["CMD"])
    _, *check = json.loads(found["HEALTHCHECK"].partition("CMD ")[2])
    port = free_port()
    variables = {"FASTFORGE_ENV": "production", "SECRET_KEY": SECRET, "REGION": "here"}
    argv = [sys.executable, *command[:-1], f"127.0.0.1:{port}"]
    check = [sys.executable, *(word.replace("8000", str(port)) for word in check)]
    assert subprocess.run(check, check=False, capture_output=True).returncode != 0
    with start(by_its_user(argv), cwd=app, env=variables) as server:
        address = f"http://127.0.0.1:{port}/livez"
        answer = wait_until(lambda: server.alive and fetch(address), describe=server)
        assert answer and answer.status == 200
        assert subprocess.run(check, check=False).returncode == 0
        server.terminate()
        assert server.wait() == 0, server
    assert {path: path.stat().st_mtime_ns for path in app.rglob("*")} == before
