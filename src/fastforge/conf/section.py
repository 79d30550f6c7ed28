"""Section and Setting: the typed declaration of what may stand in a settings module."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from .._utils import did_you_mean
from ..exceptions import ErrorGroup, ForgeError, Location, SettingsError
from .recording import MISSING, Placeholder, caller, current, keyword_location, record
from .redaction import is_secret_name, masked
from .variables import without_none

__all__ = ["REQUIRED", "Section", "Setting", "validation_errors"]

REQUIRED: Final = MISSING

if TYPE_CHECKING:
    # The metaclass is hidden from type checkers: with it, pyright sees Any for every section
    # and mypy no longer reports a wrong keyword.
    _Model = BaseModel
else:

    class _RecordingMeta(type(BaseModel)):
        def __call__(cls, *arguments, **values):
            try:
                return super().__call__(*arguments, **values)
            except (ValidationError, ForgeError) as error:
                # Here and not in `__init__`, which `model_validate` calls as well: an object
                # and a dict would then report different places.
                _record_call(cls, error)
                return cls.model_construct()

    class _Model(BaseModel, metaclass=_RecordingMeta):
        pass


class Section(_Model):
    """A frozen, typed group of settings, written in a settings module as one object.

    A wrong, unknown or missing field is reported with the line of the keyword, the value got
    and the nearest valid name; inside a settings module together with every other mistake.

    ```python
    class Orders(Section, setting="ORDERS"):
        page_size: int = 20

    ORDERS = Orders(page_size=50)          # in the settings module
    ```

    The class keyword `setting` is the upper-case name in the settings module; without it the
    class name in upper snake case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)
    setting_name: ClassVar[str] = ""

    def __init_subclass__(cls, *, setting: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.setting_name = setting or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).upper()

    def defaults_in(self, environment: str) -> Mapping[str, Any]:
        """Return what None stands for in the fields whose default depends on the environment.

        It is what `manage settings` shows for them. A section with such fields has its own.
        """
        return {}

    def most_processes(self, environment: str) -> tuple[int, str] | None:
        """Return how many processes of one host may serve at most, and why; None for any number.

        It bounds the number that is worked out from the CPUs, not one that somebody has written. A
        section whose values are used up by processes has its own: a database with its pool.
        """
        return None

    def most_connections(self, environment: str) -> int:
        """Return how many connections to others one process holds at most by this section."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One upper-case name that an app reads from the settings module.

    Args:
        name: The upper-case name.
        type: Anything that pydantic can validate; a Section, `bool`, `dict[str, Database]`.
        default: The value when the name is absent. A function takes the environment's name
            (`development`, `test`, `production`). `REQUIRED` means that it has to be written.
        help: One line for the reference.
    """

    name: str
    type: Any
    default: Any = REQUIRED
    help: str = ""

    @classmethod
    def of(cls, section: type[Section]) -> Setting:
        """Return the setting of a section class; its default is the section's own defaults."""
        required = any(field.is_required() for field in section.model_fields.values())
        default: Callable[[str], Any] = lambda _: section()  # noqa: E731
        summary = (section.__doc__ or "").strip().partition("\n")[0]
        return cls(
            name=section.setting_name,
            type=section,
            default=REQUIRED if required else default,
            help=summary,
        )


def validation_errors(
    error: ValidationError,
    type_: Any,
    subject: str,
    locate: Callable[[tuple[Any, ...]], Location | None],
) -> Iterator[SettingsError]:
    """Yield one SettingsError for each fault of a pydantic error.

    Args:
        error: What pydantic raised.
        type_: The type that was validated: a section, or a container of sections.
        subject: The name in front of the field: a section's class or a setting.
        locate: Gives the place of a field by pydantic's `loc`.
    """
    for fault in error.errors(include_url=False):
        if isinstance(fault["input"], Placeholder):
            continue  # its cause has been recorded where the value was read
        fields = _fields_at(type_, fault["loc"][:-1])
        yield _setting_error(fault, subject, fields, locate(fault["loc"]))


def _setting_error(
    fault: Any, subject: str, fields: Mapping[str, FieldInfo], where: Location | None
) -> SettingsError:
    path = ".".join((subject, *map(str, fault["loc"])))
    last = str(fault["loc"][-1]) if fault["loc"] else ""
    if fault["type"] == "extra_forbidden":
        hint = did_you_mean(last, fields) or _listed(fields)
        return SettingsError(f"{path} does not exist", code="conf.E004", hint=hint, where=where)
    if fault["type"] == "missing":
        return SettingsError(f"{path} is missing", code="conf.E005", hint="set it", where=where)
    reason = str(fault["msg"]).removeprefix("Value error, ")
    got = _shown(last or subject, fault["input"])
    hint = _right_form(fault, path, got) or _example(last, fields.get(last))
    return SettingsError(f"{path}: {reason}, got {got}", code="conf.E006", hint=hint, where=where)


def _right_form(fault: Any, path: str, got: str) -> str:
    """Return how a value of another form is written: a list of one, a section."""
    is_text_that_is_shown_whole = isinstance(fault["input"], str) and got[-1] in "'\""
    if fault["type"] == "list_type" and is_text_that_is_shown_whole:
        return f"write [{got}]"
    if fault["type"] == "model_type" and path.isidentifier():
        return f"write {path} = {fault['ctx']['class_name']}(...)"
    return ""


def _example(name: str, field: FieldInfo | None) -> str:
    """Return the field with its default, as one that is right."""
    shown = field is not None and isinstance(field.default, bool | int | float)
    return f"for example {name}={field.default!r}" if field is not None and shown else ""


def _shown(name: str, value: object) -> str:
    if is_secret_name(name):
        return "a value that is not shown"
    state = current()
    text = masked(repr(value), state.secrets if state else ())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fields_at(type_: Any, path: tuple[Any, ...]) -> Mapping[str, FieldInfo]:
    """Return the fields of the section that lies below a type at a path."""
    type_ = _plain(type_)
    for step in path:
        if isinstance(type_, type) and issubclass(type_, BaseModel):
            field = type_.model_fields.get(str(step))
            type_ = field.annotation if field else None
        else:
            type_ = next(reversed(typing.get_args(type_)), None)
        type_ = _plain(type_)
    is_model = isinstance(type_, type) and issubclass(type_, BaseModel)
    return type_.model_fields if is_model else {}


def _plain(type_: Any) -> Any:
    """Return a type without what `Annotated` says of it, and without None."""
    if typing.get_origin(type_) is typing.Annotated:
        return _plain(typing.get_args(type_)[0])
    needed = without_none(type_)
    return type_ if needed is type_ else _plain(needed)


def _listed(fields: Mapping[str, FieldInfo]) -> str:
    return f"it has {', '.join(fields)}" if fields else ""


def _record_call(section: type[Section], error: ValidationError | ForgeError) -> None:
    frame = caller()
    if isinstance(error, ForgeError):
        error.where = error.where or keyword_location(frame)
        record(error)
        return

    def locate(loc: tuple[Any, ...]) -> Location:
        return keyword_location(frame, str(loc[0]) if loc else None)

    faults = list(validation_errors(error, section, section.__name__, locate))
    if current() is None and len(faults) > 1:
        raise ErrorGroup(faults)
    for fault in faults:
        record(fault)
