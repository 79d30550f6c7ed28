"""What stands in the files of a project, or in its environment, is told before a release."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from fastforge.checks import Message, run_checks
from fastforge.management.deploy.deployment import deployment_of
from fastforge.management.deploy.docker import docker_files
from tests.folder import ProjectFolder, isolated

from .test_deploy import ENVIRON, KEY, SANE, SHOP
from .test_platforms import SHOP as PLATFORMS
from .test_platforms import write_deployment


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


def told(folder: ProjectFolder, **environ: str) -> dict[str, Message]:
    messages = run_checks(folder.load({**ENVIRON, **environ}), deploy=True)
    return {message.id: message for message in messages}


@pytest.mark.parametrize(
    "line", [f'SECRET_KEY = "{KEY}"', f'SECRET_KEY = env.secret("SECRET_KEY", default="{KEY}")']
)
def test_a_key_that_is_in_the_code_is_told_with_its_line(shop: ProjectFolder, line: str) -> None:
    shop.write({"shop/settings.py": f"from fastforge.conf import env\n{line}\n"})
    message = told(shop)["core.W004"]
    assert str(message.where).endswith("settings.py:2")
    assert KEY not in str(message)


def test_a_key_that_comes_from_outside_is_not_told(shop: ProjectFolder) -> None:
    assert "core.W004" not in told(shop)


def test_jobs_inside_the_server_are_told_in_production(shop: ProjectFolder) -> None:
    assert "tasks.W055" in told(shop, FASTFORGE_EMBEDDED_WORKER="1")
    assert "tasks.W055" not in told(shop)
    development = {"FASTFORGE_EMBEDDED_WORKER": "1", "FASTFORGE_ENV": "development"}
    assert "tasks.W055" not in told(shop, **development)


@pytest.mark.parametrize(
    ("id", "variables"),
    [
        ("core.W005", {"PYTHONASYNCIODEBUG": "1"}),
        ("core.W005", {"PYTHONDEVMODE": "1"}),
        ("server.W023", {"GUNICORN_CMD_ARGS": "--timeout 60 --workers=8"}),
    ],
)
def test_variables_that_slow_or_mean_nothing_are_told(
    shop: ProjectFolder, id: str, variables: dict[str, str]
) -> None:
    assert id in told(shop, **variables)
    right = {"PYTHONASYNCIODEBUG": "0", "GUNICORN_CMD_ARGS": "--timeout 60"}
    assert id not in told(shop, **right)


def test_a_python_without_corrections_is_told(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, ends = sys.version_info[:2], "fastforge.core.checks.interpreter.ENDS"
    monkeypatch.setattr(ends, {version: date(2020, 1, 1)})
    assert "has had no corrections since 2020-01-01" in told(shop)["core.W006"].text
    monkeypatch.setattr(ends, {version: date(9999, 1, 1)})
    assert "core.W006" not in told(shop)


def test_what_makes_the_server_fast_and_strict_is_missed(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "server.W022" not in told(shop)
    monkeypatch.setattr("fastforge.core.checks.interpreter.FAST", ("uvloop", "no_such_parser"))
    assert told(shop)["server.W022"].text.startswith("no_such_parser is not installed")


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such modes")
def test_settings_that_everybody_can_change_are_told(shop: ProjectFolder) -> None:
    assert "core.W007" not in told(shop)
    (shop.path / "shop/settings.py").chmod(0o666)
    assert str(told(shop)["core.W007"].where).endswith("shop/settings.py:1")


# --- middleware ----------------------------------------------------------------------------------

LAYERS = """
    from fastforge.web import Middleware
    from starlette.middleware.cors import CORSMiddleware

    class SessionMiddleware:  # Starlette's has the same options, and needs a package
        def __init__(self, app, secret_key, https_only=False):
            self.app = app

        async def __call__(self, scope, receive, send): ...

    MIDDLEWARE = [
        Middleware(SessionMiddleware, secret_key="k", https_only={encrypted}),
        Middleware(CORSMiddleware, allow_origins=["{origin}"], allow_credentials=True),
    ]
    """


def test_layers_of_others_with_open_options_are_told(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": LAYERS.format(encrypted=False, origin="*")})
    assert {"web.W074", "web.E062"} <= set(told(shop))
    shop.write({"shop/settings.py": LAYERS.format(encrypted=True, origin="https://a.example")})
    assert not {"web.W074", "web.E062"} & set(told(shop))


# --- the files of a platform ---------------------------------------------------------------------

DOCKERFILE = """
    FROM python:3.13-slim AS packages
    RUN pip install \\
        shop
    FROM packages
    COPY . .
    USER 10001:10001
    CMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]
    """


@pytest.mark.parametrize(
    ("id", "line", "old", "new"),
    [
        (
            "deploy.W022",
            7,
            'CMD ["python", "manage.py", "runserver"',
            "CMD python manage.py runserver",
        ),
        ("deploy.W023", 6, "USER 10001:10001", "USER root"),
        ("deploy.W023", 4, "USER 10001:10001", "EXPOSE 8000"),
        ("deploy.W024", 1, "python:3.13-slim", "python"),
        ("deploy.W024", 1, "python:3.13-slim", "host.example:5000/python:latest"),
    ],
)
def test_what_an_image_says_is_told_with_its_line(
    shop: ProjectFolder, id: str, line: int, old: str, new: str
) -> None:
    shop.write({"Dockerfile": DOCKERFILE})
    assert not [each for each in told(shop) if each.startswith("deploy.")]
    shop.write({"Dockerfile": DOCKERFILE.replace(old, new)})
    assert str(told(shop)[id].where).endswith(f"Dockerfile:{line}")


def test_the_secrets_of_this_machine_do_not_go_into_an_image(shop: ProjectFolder) -> None:
    shop.write({"Dockerfile": DOCKERFILE, ".env": "SECRET_KEY=x\n"})
    assert str(told(shop)["deploy.W025"].where).endswith("Dockerfile:5")
    shop.write({".dockerignore": "# what is secret\n**/.env\n"})
    assert "deploy.W025" not in told(shop)


MANIFEST = """
    kind: Deployment
    args: ["python", "manage.py", "runserver", "0.0.0.0:8000"]
    env:
      - name: FASTFORGE_ENV
        value: {environment}
      - name: SECRET_KEY
        {key}
    livenessProbe:
      httpGet: {{ path: {live}, port: 8000 }}
    readinessProbe:
      httpGet: {{ path: /readyz, port: 8000 }}
    """
WORKER = """
    kind: Deployment
    args: ["python", "manage.py", "runworker"]
    """
RIGHT = {
    "environment": "production",
    "key": "valueFrom: { secretKeyRef: { name: shop, key: SECRET_KEY } }",
    "live": "/livez",
}


@pytest.mark.parametrize(
    ("id", "line", "wrong"),
    [
        ("deploy.E021", 6, {"key": f'value: "{KEY}"'}),
        ("deploy.E022", 4, {"environment": "development"}),
        ("deploy.W026", 9, {"live": "/readyz"}),
    ],
)
def test_what_a_manifest_says_is_told_with_its_line(
    shop: ProjectFolder, id: str, line: int, wrong: dict[str, str]
) -> None:
    shop.write({"deploy/web.yaml": MANIFEST.format(**RIGHT), "deploy/worker.yaml": WORKER})
    assert id not in told(shop)
    shop.write({"deploy/web.yaml": MANIFEST.format(**{**RIGHT, **wrong})})
    message = told(shop)[id]
    assert str(message.where).endswith(f"web.yaml:{line}")
    assert KEY not in str(message)


@pytest.mark.parametrize(
    "text",
    [
        "SECRET_KEY: ${SECRET_KEY:?write it}\n",
        "SECRET_KEY=\n",
        f"kind: Secret\nstringData:\n  SECRET_KEY: {KEY}\n",
    ],
)
def test_a_reference_to_a_secret_is_none(shop: ProjectFolder, text: str) -> None:
    shop.write({"compose.yaml": text})
    assert "deploy.E021" not in told(shop)


def test_a_server_without_a_worker_is_told_where_there_are_tasks(shop: ProjectFolder) -> None:
    shop.write({"Procfile": "web: python manage.py runserver 0.0.0.0:$PORT\n"})
    assert str(told(shop)["deploy.W027"].where).endswith("Procfile:1")
    shop.write({"Procfile": "web: manage runserver\nworker: manage runworker\n"})
    assert "deploy.W027" not in told(shop)


def test_the_files_of_manage_deploy_are_well(shop: ProjectFolder) -> None:
    shop.write({**PLATFORMS, "requirements.txt": "fastforge-framework\n"})
    loaded = shop.load({**ENVIRON, "DATABASE_URL": "postgresql+asyncpg://u@h/n"})
    processes = {"processes": 6}  # as many as the manifest may start
    project = loaded.overriding(settings={"SECRET_KEY": KEY, **SANE, "SERVER": processes})
    write_deployment(shop, project)
    for name, text in docker_files(deployment_of(project), shop.path).items():
        (shop.path / name).write_text(text)
    assert [str(each) for each in run_checks(project, deploy=True)] == []
