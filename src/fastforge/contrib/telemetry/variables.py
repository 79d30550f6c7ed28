"""Variables: what OpenTelemetry's environment variables say, beside what TELEMETRY says.

A field that is written and a variable that is set agree, or are refused: a platform that injects
variables and a settings module that says otherwise both mean it, and nobody could tell from the
outside which of them was heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

from .settings import Telemetry, usable_endpoint

__all__ = ["Fault", "Told", "told_by"]

_TRUE: Final = "true"
_NONE: Final = "none"
_OTLP: Final = "otlp"
_MS: Final = 1000
_PARENTS_ONLY: Final = (
    "write TELEMETRY.sample_ratio, or one of parentbased_always_on, parentbased_always_off,"
    " parentbased_traceidratio: whoever calls with a trace has decided for it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A variable that cannot be heard.

    Args:
        variable: Its name.
        reason: What is wrong with it; its value is shown by none of ours.
        hint: What to do.
        is_unread: Whether nothing here reads it; else it is refused.
    """

    variable: str
    reason: str
    hint: str
    is_unread: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the variables say.

    Args:
        is_disabled: Whether nothing of OpenTelemetry is wanted.
        values: By the field of TELEMETRY.
        endpoints: The whole URL of a signal that has one of its own, by `traces` and `metrics`.
        certificates: Files by `ca`, `client` and `key`.
        faults: What cannot be heard.
    """

    is_disabled: bool
    values: Mapping[str, Any]
    endpoints: Mapping[str, str]
    certificates: Mapping[str, str]
    faults: tuple[Fault, ...]


def _pairs(text: str) -> dict[str, str]:
    """Return `a=1,b=2` as a dictionary; values are escaped as in URLs."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


def _headers(text: str) -> dict[str, str]:
    return {name.lower(): value for name, value in _pairs(text).items()}


def _seconds(text: str) -> float:
    if (seconds := float(text) / _MS) <= 0:
        raise ValueError("it has to be a number of milliseconds above 0")
    return seconds


def _count(text: str) -> int:
    if (count := int(text)) < 1:
        raise ValueError("it has to be a number above 0")
    return count


def _one_of(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in known:
            raise ValueError(f"it has to be {' or '.join(known)}")
        return text.lower()

    return read


def _is_exported(text: str) -> bool:
    return _one_of(_OTLP, _NONE)(text) == _OTLP


_FIELDS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = MappingProxyType(
    {
        "OTEL_EXPORTER_OTLP_ENDPOINT": ("endpoint", usable_endpoint),
        "OTEL_EXPORTER_OTLP_PROTOCOL": ("protocol", _one_of("http/protobuf")),
        "OTEL_EXPORTER_OTLP_HEADERS": ("headers", _headers),
        "OTEL_EXPORTER_OTLP_COMPRESSION": ("compression", _one_of("none", "gzip")),
        "OTEL_SERVICE_NAME": ("service_name", str),
        "OTEL_TRACES_EXPORTER": ("traces", _is_exported),
        "OTEL_METRICS_EXPORTER": ("metrics", _is_exported),
        "OTEL_BSP_SCHEDULE_DELAY": ("export_interval_s", _seconds),
        "OTEL_BSP_MAX_QUEUE_SIZE": ("queue_size", _count),
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": ("batch_size", _count),
        "OTEL_METRIC_EXPORT_INTERVAL": ("metrics_interval_s", _seconds),
    }
)
_CERTIFICATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "ca",
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "client",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": "key",
    }
)
_ENDPOINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "traces",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "metrics",
    }
)
_OF_RESOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "service.name": "service_name",
        "service.version": "service_version",
        "service.instance.id": "instance",
        "deployment.environment.name": "deployment",
    }
)
_READ_BY_OTHERS: Final = (
    "OTEL_PROPAGATORS",  # by OpenTelemetry's API, for the headers that a request brings
    "OTEL_INSTRUMENTATION_",  # by FastAPI
    "OTEL_LOGS_EXPORTER",  # ours are lines
    "OTEL_SPAN_",  # by the SDK
    "OTEL_ATTRIBUTE_",
    "OTEL_EVENT_",
    "OTEL_LINK_",
    "OTEL_PYTHON_CONTEXT",
    "OTEL_PYTHON_ID_GENERATOR",
)


def told_by(environ: Mapping[str, str], config: Telemetry) -> Told:
    """Return what the variables say, and which of them cannot be heard.

    Args:
        environ: The variables.
        config: What TELEMETRY says.
    """
    given = {name: text for name, text in environ.items() if name.startswith("OTEL_") and text}
    reader = _Reader(given, config)
    reader.read()
    return Told(
        is_disabled=given.get("OTEL_SDK_DISABLED", "").lower() == _TRUE,
        values=reader.values,
        endpoints={_ENDPOINTS[name]: given[name] for name in _ENDPOINTS if name in given},
        certificates={_CERTIFICATES[n]: given[n] for n in _CERTIFICATES if n in given},
        faults=tuple(reader.faults),
    )


class _Reader:
    def __init__(self, given: Mapping[str, str], config: Telemetry) -> None:
        self._given = given
        self._config = config
        self.values: dict[str, Any] = {}
        self.faults: list[Fault] = []

    def read(self) -> None:
        for name, (field, read) in _FIELDS.items():
            if name in self._given:
                self._take(name, field, read, self._given[name])
        self._take_resource()
        self._take_sampler()
        for name in _ENDPOINTS:
            if name in self._given:
                self._check(name, usable_endpoint, self._given[name])
        self.faults.extend(self._unread())

    def _take(self, name: str, field: str, read: Callable[[str], Any], text: str) -> None:
        value = self._check(name, read, text)
        if value is None:
            return
        if field not in self._config.model_fields_set:
            self.values[field] = value
        elif getattr(self._config, field) != value:
            self._conflict(name, field)

    def _check(self, name: str, read: Callable[[str], Any], text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            self.faults.append(Fault(variable=name, reason=str(error), hint="correct or unset it"))
            return None

    def _conflict(self, name: str, field: str) -> None:
        self.faults.append(
            Fault(
                variable=name,
                reason=f"it says something else than TELEMETRY.{field}",
                hint=f"unset it, or leave {field} out of TELEMETRY",
            )
        )

    def _take_resource(self) -> None:
        name = "OTEL_RESOURCE_ATTRIBUTES"
        attributes = _pairs(self._given.get(name, ""))
        others: dict[str, str] = {}
        for key, value in attributes.items():
            if key in _OF_RESOURCES:
                # OpenTelemetry says that OTEL_SERVICE_NAME goes before this one.
                if _OF_RESOURCES[key] not in self.values:
                    self._take(name, _OF_RESOURCES[key], str, value)
            elif self._config.attributes.get(key, value) != value:
                self._conflict(name, "attributes")
            else:
                others[key] = value
        if others:
            self.values["attributes"] = others

    def _take_sampler(self) -> None:
        sampler = self._given.get("OTEL_TRACES_SAMPLER", "").lower()
        if not sampler:
            return
        ratios = {
            "parentbased_always_on": "1",
            "parentbased_always_off": "0",
            "parentbased_traceidratio": self._given.get("OTEL_TRACES_SAMPLER_ARG", "1"),
        }
        if sampler not in ratios:
            self.faults.append(
                Fault(
                    variable="OTEL_TRACES_SAMPLER",
                    reason=f"{sampler} is no sampler that is known here",
                    hint=_PARENTS_ONLY,
                )
            )
            return
        self._take("OTEL_TRACES_SAMPLER", "sample_ratio", _ratio, ratios[sampler])

    def _unread(self) -> Iterator[Fault]:
        read = (
            *_FIELDS,
            *_CERTIFICATES,
            *_ENDPOINTS,
            "OTEL_SDK_DISABLED",
            "OTEL_RESOURCE_ATTRIBUTES",
            "OTEL_TRACES_SAMPLER",
            *_READ_BY_OTHERS,
        )
        for name in sorted(self._given):
            if not name.startswith(read):
                yield Fault(
                    variable=name,
                    reason="nothing here reads it",
                    hint="write what it says as a field of TELEMETRY, or unset it",
                    is_unread=True,
                )


def _ratio(text: str) -> float:
    if not 0 <= (ratio := float(text)) <= 1:
        raise ValueError("it has to be a number from 0 to 1")
    return ratio
