"""The Dockerfile passes its linter, and its steps do here what they would do in an image."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.processes import clean_environment, fetch, free_port, run, start, wait_until
from tests.wheel import build_wheel

from .conftest import SECRET, Shop, new_shop

HADOLINT = Path(sys.executable).parent / "hadolint"
USER = 10001
LOCATIONS = '[tool.fastforge]\nsettings = "shop.settings"\n'
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
def root() -> Iterator[Path]:
    """A folder that everybody may read: the root of an image."""
    with tempfile.TemporaryDirectory(prefix="fastforge-image-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def by_its_user(argv: list[str]) -> list[str]:
    """A command by the user of the image, where we may become it.

    It may read everything, because our Python may lie where root alone looks; and write nothing.
    """
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return argv
    user = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    may_read = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return ["setpriv", *user, *may_read, *argv]


def serves_from(app: Path, python: Path, dockerfile: str) -> None:
    """Run the command of an image in a folder that nobody can write, and its health check."""
    before = {path: path.stat().st_mtime_ns for path in (app, *app.rglob("*"))}
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    found = dict(instructions(dockerfile))
    _, *command = json.loads(found["CMD"])
    _, *check = json.loads(found["HEALTHCHECK"].partition("CMD ")[2])
    port = free_port()
    elsewhere = app.with_name("data")
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    variables = {
        "FASTFORGE_ENV": "production",
        "DATABASE_URL": f"sqlite+aiosqlite:///{elsewhere}/db.sqlite3",
        "SECRET_KEY": SECRET,
        "REGION": "here",
        "WEB_CONCURRENCY": "1",
    }
    argv = by_its_user([str(python), *command[:-1], f"127.0.0.1:{port}"])
    check = [str(python), *(word.replace("8000", str(port)) for word in check)]
    assert run(check).returncode != 0
    with start(argv, cwd=app, env=variables) as server:
        address = f"http://127.0.0.1:{port}/livez"
        answer = wait_until(lambda: server.alive and fetch(address), describe=server)
        assert answer and answer.status == 200
        assert run(check).returncode == 0
        server.terminate()
        assert server.wait() == 0, server
    assert {path: path.stat().st_mtime_ns for path in (app, *app.rglob("*"))} == before


def test_the_image_serves_from_a_folder_that_it_cannot_write(root: Path) -> None:
    """Its command, as its user, with the variables of production; its health check says so."""
    shop = new_shop(
        root / "app", settings='\n    INSTALLED_APPS = ["shop"]\n    del DATABASES, REDIS\n'
    )
    shop.manage("deploy", "docker")
    subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=shop.folder, check=True)
    serves_from(shop.folder, Path(sys.executable), shop.text("Dockerfile"))


class Build:
    """The steps of a Dockerfile, done in a folder that stands for the root of its image."""

    def __init__(self, root: Path, context: Path, variables: Mapping[str, str]) -> None:
        self.root = root
        self.context = context
        self.variables = {**clean_environment(), "PYTHONPATH": "", **variables}
        self.app = root / "app"

    def do(self, dockerfile: str) -> None:
        self.app.mkdir()
        for keyword, rest in instructions(dockerfile):
            if keyword == "COPY" and not rest.startswith("--from="):
                self._copy(*rest.split()[:-1])
            elif keyword == "ENV":
                self._set(rest)
            elif keyword == "RUN":
                self._run(rest.partition(" && groupadd ")[0])

    def _copy(self, *sources: str) -> None:
        for source in sources:
            if source == ".":
                shutil.copytree(self.context, self.app, dirs_exist_ok=True)
            else:
                shutil.copy(self.context / source, self.app)

    def _set(self, rest: str) -> None:
        for assignment in rest.split():
            name, _, value = assignment.partition("=")
            self.variables[name] = self._here(value).replace("$PATH", self.variables["PATH"])

    def _run(self, step: str) -> None:
        command = ["sh", "-c", self._here(step)]
        done = subprocess.run(
            command,
            cwd=self.app,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}"

    def _here(self, text: str) -> str:
        """Folders of the image, and the Python that it begins with, as they are here."""
        text = re.sub(r"(?<![\w.])/(app|uv|venv)\b", rf"{self.root}/\1", text)
        return re.sub(r"^python -m venv", f"{sys.executable} -m venv", text)


def with_dependencies(shop: Shop, tools: Path) -> None:
    """A project that any build tool may build: only what it depends on is looked at."""
    file = shop.folder / "pyproject.toml"
    file.write_text(file.read_text().partition("[tool.hatch")[0] + LOCATIONS)


def with_requirements(shop: Shop, tools: Path) -> None:
    (shop.folder / "requirements.txt").write_text("fastforge-framework==0.1.0\n")


def with_uv_lock(shop: Shop, tools: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tools], check=True)
    subprocess.run([tools / "bin/pip", "install", "--quiet", "uv"], check=True)
    environ = {**clean_environment(), "UV_FIND_LINKS": str(tools.parent)}
    subprocess.run([tools / "bin/uv", "lock"], cwd=shop.folder, env=environ, check=True)


@pytest.mark.long
@pytest.mark.parametrize(
    "lock",
    [None, with_dependencies, with_requirements, with_uv_lock],
    ids=["new project", "dependencies", "requirements", "uv"],
)
def test_the_steps_of_the_dockerfile_make_an_image_that_serves(
    lock: Callable[[Shop, Path], None] | None, root: Path, tmp_path: Path
) -> None:
    """Each in an empty environment, which installs the wheel and, from an index, the rest."""
    build_wheel(tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    made = [sys.executable, "-m", "fastforge", "startproject", "shop", "."]
    subprocess.run(made, cwd=project, env=clean_environment(), check=True, capture_output=True)
    shop = Shop(folder=project)
    if lock is not None:
        lock(shop, tmp_path / "tools")
        shop.manage("deploy", "docker", "--force")
    (project / ".env").unlink()
    links = str(tmp_path)
    build = Build(root, project, {"PIP_FIND_LINKS": links, "UV_FIND_LINKS": links})
    build.do(shop.text("Dockerfile"))
    assert not [*(root / "venv/lib").glob("python*/site-packages/shop")]
    serves_from(root / "app", root / "venv/bin/python", shop.text("Dockerfile"))
