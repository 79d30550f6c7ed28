"""Scaffold: files rendered from templates, shown first and never written over others."""

from .changes import Change, show_diff, summary, write_changes
from .project import NewProject, new_project

__all__ = ["Change", "NewProject", "new_project", "show_diff", "summary", "write_changes"]
