"""fastforge: from one settings module to a running FastAPI project.

Names are imported when they are first used, so that `import fastforge` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asgi import get_asgi_application as get_asgi_application
    from .conf import App as App
    from .conf import Section as Section
    from .conf import env as env
    from .exceptions import ForgeError as ForgeError
    from .lifecycle import Role as Role
    from .lifecycle import injected as injected
    from .lifecycle import provide as provide
    from .lifecycle import resource as resource
    from .lifecycle import section as section
    from .lifecycle import service as service
    from .offloading import Limiter as Limiter
    from .offloading import offload as offload
    from .project import Project as Project
    from .tasks import every as every
    from .tasks import task as task

_LAZY = {
    "App": "conf",
    "ForgeError": "exceptions",
    "Limiter": "offloading",
    "Project": "project",
    "Role": "lifecycle",
    "Section": "conf",
    "env": "conf",
    "every": "tasks",
    "get_asgi_application": "asgi",
    "injected": "lifecycle",
    "offload": "offloading",
    "provide": "lifecycle",
    "resource": "lifecycle",
    "section": "lifecycle",
    "service": "lifecycle",
    "task": "tasks",
}

__version__ = "0.1.0"

__all__ = [
    "App",
    "ForgeError",
    "Limiter",
    "Project",
    "Role",
    "Section",
    "env",
    "every",
    "get_asgi_application",
    "injected",
    "offload",
    "provide",
    "resource",
    "section",
    "service",
    "task",
]


def __getattr__(name: str) -> object:
    from ._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
