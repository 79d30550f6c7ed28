"""AppConfig: what an installed app says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..conf import App

if TYPE_CHECKING:
    from ..conf import Section, Setting

__all__ = ["AppConfig"]


class AppConfig:
    """The declaration of an app, written once in its `apps.py`; a plain package needs none.

    ```python
    class OrdersConfig(AppConfig):
        name = "shop.orders"
        requires = ("fastforge.contrib.db",)
        settings = (Orders,)
    ```

    Surprises: `apps.py` and the section classes it names are imported for every command, so they
    import nothing heavier than pydantic. `manage --help` reads `name`, `label` and `commands` as
    text where they are plainly written, as above.

    Attributes:
        name: The dotted name of the app's package; the one that holds `apps.py` unless set.
        label: A short unique name; the last part of `name` unless set.
        requires: The names of the apps that have to stand before this one in INSTALLED_APPS.
        settings: The sections and settings that this app reads.
        commands: The package whose files are this app's commands; `<name>.commands` unless set.
        prefix: What the project's `App(name, prefix=...)` says, for the app's routers.
    """

    name: ClassVar[str]
    label: ClassVar[str] = ""
    requires: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[type[Section] | Setting, ...]] = ()
    commands: ClassVar[str] = ""

    def __init__(self, entry: App) -> None:
        self.prefix = entry.prefix

    def __init_subclass__(cls) -> None:
        own = vars(cls)
        cls.name = own.get("name") or cls.__module__.removesuffix(".apps")
        cls.label = own.get("label") or cls.name.rpartition(".")[2]
        cls.commands = own.get("commands") or f"{cls.name}.commands"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AppConfig):
            return NotImplemented
        return (other.name, other.prefix) == (self.name, self.prefix)

    def __hash__(self) -> int:
        return hash((self.name, self.prefix))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.name}, label={self.label!r})>"
