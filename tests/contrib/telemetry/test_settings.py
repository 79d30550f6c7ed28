"""What TELEMETRY and the variables of OpenTelemetry come to, and what the checks say of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fastforge.checks import Level, run_checks
from fastforge.contrib.telemetry import Telemetry
from fastforge.contrib.telemetry.plan import plan_of, resource_attributes
from fastforge.contrib.telemetry.variables import told_by
from fastforge.exceptions import ErrorGroup, SettingsError, StartError
from fastforge.lifecycle import Role
from tests.folder import ProjectFolder
from tests.processes import clean_environment

from .projects import write

URL = "http://collector:4318"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


def test_a_field_that_is_not_written_is_read_from_its_variable(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["fastforge.contrib.telemetry"]\n'})
    settings = folder.load().settings
    plan = plan_of(
        settings,
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"{URL}/",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://elsewhere/m",
            "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20abc,x-tenant=7",
            "OTEL_SERVICE_NAME": "the-shop",
            "OTEL_RESOURCE_ATTRIBUTES": "service.version=9,cloud.region=eu,service.name=other",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25",
            "OTEL_BSP_SCHEDULE_DELAY": "1500",
        },
    )
    assert plan.told.faults == ()
    assert plan.traces_url == f"{URL}/v1/traces"
    assert plan.metrics_url == "https://elsewhere/m"
    assert plan.config.headers == {"authorization": "Bearer abc", "x-tenant": "7"}
    assert plan.sample_ratio == 0.25
    assert plan.config.export_interval_s == 1.5
    known = resource_attributes(plan, settings)
    assert known["service.name"] == "the-shop"
    assert known["service.version"] == "9"
    assert known["cloud.region"] == "eu"


def test_without_a_word_all_is_recorded_in_tests_and_a_twentieth_in_production() -> None:
    config = Telemetry()
    assert config.defaults_in("test")["sample_ratio"] == 1
    assert config.defaults_in("development")["sample_ratio"] == 1
    assert config.defaults_in("production")["sample_ratio"] == 0.05


@pytest.mark.parametrize("variable", ["OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER"])
def test_a_signal_can_be_turned_off_by_its_variable(folder: ProjectFolder, variable: str) -> None:
    write(folder, URL)
    plan = plan_of(folder.load().settings, {variable: "none"})
    assert (plan.traces_url == "") == ("TRACES" in variable)
    assert (plan.metrics_url == "") == ("METRICS" in variable)


def test_everything_can_be_turned_off_by_its_variable(folder: ProjectFolder) -> None:
    write(folder, URL)
    assert not plan_of(folder.load().settings, {"OTEL_SDK_DISABLED": "true"}).is_wanted


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:4318", "something else than TELEMETRY.endp"),
        ("OTEL_SERVICE_NAME", "other", "something else than TELEMETRY.service_name"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=b", "something else than TELEMETRY.attributes"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=b", "something else than TELEMETRY.service"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_on", "something else than TELEMETRY.sample_r"),
        ("OTEL_TRACES_SAMPLER", "always_on", "no sampler that is known here"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "it has to be http/protobuf"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "it has to be otlp or none"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many", "invalid literal"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0", "a number of milliseconds above 0"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4318", "http:// or https:// URL"),
    ],
)
def test_what_contradicts_or_cannot_be_followed_is_refused(
    name: str, text: str, reason: str
) -> None:
    config = Telemetry(endpoint=URL, service_name="a", attributes={"team": "a"}, sample_ratio=0.5)
    (fault,) = told_by({name: text}, config).faults
    assert fault.variable == name
    assert reason in fault.reason
    assert not fault.is_unread


def test_a_variable_that_says_the_same_is_no_contradiction() -> None:
    config = Telemetry(endpoint=URL, service_name="a")
    same = {"OTEL_EXPORTER_OTLP_ENDPOINT": URL, "OTEL_SERVICE_NAME": "a", "OTHER": "x"}
    assert told_by(same, config).faults == ()


async def test_a_contradiction_ends_the_start_in_one_line(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, URL, "service_name='a'")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "hunter2")
    with pytest.raises(StartError) as caught:
        async with folder.load().running(Role.COMMAND):
            pass
    assert isinstance(caught.value.__cause__, SettingsError)
    assert "telemetry.E001" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "headers", [{"x-team": "hunter2\n"}, {"x-team": "hünter2"}, {"x team": "hunter2"}]
)
async def test_a_header_that_is_none_ends_the_start_and_is_not_shown(
    folder: ProjectFolder, headers: dict[str, str]
) -> None:
    """What sends it would repeat the whole of it in the log, each time."""
    write(folder, URL, f"headers={headers!r}")
    with pytest.raises(StartError) as caught:
        async with folder.load().running(Role.COMMAND):
            pass
    assert isinstance(caught.value.__cause__, SettingsError)
    assert "telemetry.E002" in str(caught.value)
    assert "nter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("endpoint='collector:4318'", "http:// or https:// URL"),
        ("endpoint='http://c?token=a'", "ends before the question mark"),
        ("exclude=['ids']", "has to begin with /"),
        ("sample_ratio=5", "less than or equal to 1"),
        ("protocol='grpc'", "http/protobuf"),
        ("smple_ratio=1", "sample_ratio"),
    ],
)
def test_a_wrong_field_is_told_with_its_place(
    folder: ProjectFolder, options: str, reason: str
) -> None:
    folder.write(
        {
            "shop/settings.py": "from fastforge.contrib.telemetry import Telemetry\n"
            'INSTALLED_APPS = ["fastforge.contrib.telemetry"]\n'
            f"TELEMETRY = Telemetry({options})\n"
        }
    )
    with pytest.raises((SettingsError, ErrorGroup), match="shop/settings.py:3") as caught:
        folder.load()
    assert reason in str(caught.value)


def test_no_form_of_the_section_shows_a_header(folder: ProjectFolder) -> None:
    config = Telemetry(endpoint="https://user:hunter2@c", headers={"x-key": "hunter2"})
    assert "hunter2" not in repr(config)
    assert "hunter2" not in str(config)


def test_the_settings_import_nothing_of_opentelemetry() -> None:
    code = (
        "import sys; from fastforge.contrib.telemetry import Telemetry;"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=clean_environment(), check=False)
    assert done.returncode == 0


def test_a_missing_extra_says_the_line_that_installs_it() -> None:
    code = (
        "import sys; sys.modules['opentelemetry.sdk.resources'] = None;"
        "import fastforge.contrib.telemetry.resources"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=clean_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert 'pip install "fastforge-framework[telemetry]"' in done.stderr


# --- checks --------------------------------------------------------------------------------------


def found(
    folder: ProjectFolder, *, deploy: bool = False, environment: str = "test"
) -> dict[str, str]:
    project = folder.load({"FASTFORGE_ENV": environment})
    messages = run_checks(project, tags=("telemetry",), deploy=deploy)
    levels = {"E": Level.ERROR, "W": Level.WARNING}
    assert all(each.level is levels[each.id.split(".")[1][0]] for each in messages)
    return {each.id: each.text for each in messages}


def test_a_project_that_is_well_has_nothing_to_say(folder: ProjectFolder) -> None:
    write(folder, URL)
    assert found(folder, deploy=True) == {}


def test_variables_are_checked(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, URL)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "10")
    messages = found(folder)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in messages["telemetry.E010"]
    assert "OTEL_EXPORTER_OTLP_TIMEOUT" in messages["telemetry.W010"]


APP = """
    import sys, types

    class OpenTelemetryMiddleware:
        __module__ = "opentelemetry.instrumentation.asgi"

        def __init__(self, app) -> None:
            self.app = app

    class SQLAlchemyInstrumentor:
        _instance = None
        _is_instrumented_by_opentelemetry = True

    SQLAlchemyInstrumentor._instance = SQLAlchemyInstrumentor()

    from fastapi import FastAPI
    from fastforge.asgi import get_asgi_application

    plain = FastAPI()
    {add}
    app = get_asgi_application(app=plain)
"""


@pytest.mark.parametrize(
    ("add", "says"),
    [
        ("plain.add_middleware(OpenTelemetryMiddleware)", "the middleware OpenTelemetryMiddleware"),
        (
            "module = types.ModuleType('opentelemetry.instrumentation.sqlalchemy');"
            " module.SQLAlchemyInstrumentor = SQLAlchemyInstrumentor;"
            " sys.modules[module.__name__] = module",
            "SQLAlchemyInstrumentor of opentelemetry.instrumentation.sqlalchemy",
        ),
    ],
)
def test_what_is_instrumented_twice_is_refused(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch, add: str, says: str
) -> None:
    write(folder, URL)
    folder.write(
        {
            "shop/asgi.py": APP.format(add=add),
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n'
            '[tool.fastapi]\nentrypoint = "shop.asgi:app"\n',
        }
    )
    monkeypatch.setenv("FASTFORGE_SETTINGS_MODULE", "shop.settings")
    monkeypatch.chdir(folder.path)
    try:
        assert says in found(folder)["telemetry.E011"]
    finally:
        sys.modules.pop("opentelemetry.instrumentation.sqlalchemy", None)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("FASTAPI_OTEL_AUTO_CONFIGURE", "true", "FASTAPI_OTEL_AUTO_CONFIGURE"),
        (
            "PYTHONPATH",
            "/x/opentelemetry/instrumentation/auto_instrumentation",
            "opentelemetry-instrument",
        ),
    ],
)
def test_what_instruments_by_a_variable_is_refused(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    write(folder, URL)
    monkeypatch.setenv(variable, value)
    assert says in found(folder)["telemetry.E011"]


@pytest.mark.parametrize(
    ("endpoint", "options", "id_"),
    [
        ("", "", "telemetry.W011"),
        ("http://collector.example.com", "", "telemetry.W012"),
        ("http://8.8.8.8:4318", "headers={'a': 'b'}", "telemetry.W012"),
        (URL, "sample_ratio=1", "telemetry.W013"),
        ("https://collector.example.com", "", None),
        ("http://10.0.0.7:4318", "", None),
        ("http://otel.observability.svc:4318", "", None),
        ("", "traces=False, metrics=False", None),
    ],
)
def test_what_production_is_to_know(
    folder: ProjectFolder, endpoint: str, options: str, id_: str | None
) -> None:
    write(folder, endpoint, options)
    settings = folder.path / "shop/settings.py"
    settings.write_text(
        f"{settings.read_text()}\nSECRET_KEY = 'k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd'\n"
        "ALLOWED_HOSTS = ['a']\n"
    )
    messages = found(folder, deploy=True, environment="production")
    assert set(messages) == ({id_} if id_ else set())
