"""Scaffold: the files of a new project, rendered from templates and never written over others."""

from .project import NewProject, new_project
from .writing import write_project

__all__ = ["NewProject", "new_project", "write_project"]
