"""Scaffold: the files of a new project, rendered from templates and never written over others."""

from .changes import Change, show_diff, summary, write_changes
from .project import NewProject, new_project
from .writing import write_project

__all__ = [
    "Change",
    "NewProject",
    "new_project",
    "show_diff",
    "summary",
    "write_changes",
    "write_project",
]
