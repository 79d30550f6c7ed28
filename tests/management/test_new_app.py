"""What startapp refuses, in one line, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.folder import ProjectFolder

from .conftest import PYPROJECT, Shell

SETTINGS = """
from fastforge.conf import App, env
from fastforge.contrib.db import Database

INSTALLED_APPS = ["fastforge.contrib.db", "shop.notes", App("shop.news", prefix="/press")]
DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
"""


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}


@pytest.fixture
def project(shop: ProjectFolder) -> ProjectFolder:
    """A project with a database and two apps."""
    shop.write(
        {
            "shop/settings.py": SETTINGS,
            "shop/news/__init__.py": "",
            "shop/notes/models.py": "class Comment: ...\n",
            "shop/tools.py": "",
        }
    )
    return shop


MISTAKES = [
    (
        ["notes"],
        "[scaffold.E011] shop.notes exists already;"
        " add to it with: manage startapp notes --resource post title:str body:text",
    ),
    (
        ["shop.notes"],
        "[scaffold.E011] shop.notes exists already;"
        " add to it with: manage startapp notes --resource post title:str body:text",
    ),
    (["settings"], "[scaffold.E011] shop.settings exists already; choose another name"),
    (["tools", "--resource", "a", "b:str"], "[scaffold.E011] shop.tools exists already; choose"),
    (
        ["shop.db"],
        "[scaffold.E011] the installed app 'fastforge.contrib.db' has the label 'db' already;"
        " choose another name: tables and migrations are called after it",
    ),
    (
        ["db", "--resource", "post", "title:str"],
        "[scaffold.E011] there is no package 'fastforge.contrib' in this project,"
        " which the app would be a part of; write shop.db,",
    ),
    (
        ["press"],
        "[scaffold.E011] the routes of 'shop.news' begin with /press already; choose another name,",
    ),
    (
        ["store.blog"],
        "[scaffold.E011] there is no package 'store' in this project, which the app would be a"
        " part of; write shop.blog, or make the folder with its __init__.py first",
    ),
    (["calendar"], "[scaffold.E003] a package 'calendar' would hide the module 'calendar' of"),
    (["sqlalchemy"], "[scaffold.E003] a package 'sqlalchemy' would hide "),
    (["json.blog"], "[scaffold.E011] there is no package 'json' in this project,"),
    (
        ["my-blog"],
        "[scaffold.E010] 'my-blog' cannot be the name of an app or a resource;"
        " use small letters, digits and _, for example my_blog",
    ),
    (["BlogPosts"], "use small letters, digits and _, for example blog_posts"),
    (["../blog"], "[scaffold.E010] '../blog' cannot be the name of an app or a resource;"),
    (["läden"], "[scaffold.E010] 'läden' cannot be the name"),
    (["2nd"], "for example nd"),
    (["class"], "[scaffold.E010] 'class' is a keyword of Python; choose another name, for example"),
    (
        ["fields"],
        "[scaffold.E010] a model Field would hide the Field that it is made with; choose another"
        " name, for example startapp fields --resource item name:str",
    ),
    (
        ["blog", "title:str"],
        "[scaffold.E012] title:str is a field of nothing;"
        " name the resource: manage startapp blog --resource item title:str",
    ),
    (["blog", "--resource", "post"], "[scaffold.E012] the resource 'post' has no fields;"),
    (
        ["notes", "--resource", "comment", "body:text"],
        "[scaffold.E015] shop/notes/models.py:1: Comment means something else here than the new"
        " resource needs; rename it, or give the resource another name",
    ),
    ([], "[management.E003] `manage startapp` needs NAME;"),
]


@pytest.mark.parametrize(("arguments", "line"), MISTAKES, ids=[str(case[0]) for case in MISTAKES])
def test_a_mistake_is_one_line_and_writes_nothing(
    arguments: list[str], line: str, project: ProjectFolder, manage: Shell
) -> None:
    before = contents(project.path)
    result = manage("startapp", *arguments)
    assert result.err.startswith("error: [")
    assert line in result.err
    assert result.err.count("\n") == 1
    assert (result.code, result.out) == (2, "")
    assert contents(project.path) == before


def test_all_wrong_fields_are_told_at_once(project: ProjectFolder, manage: Shell) -> None:
    result = manage("startapp", "blog", "--resource", "post", "title:string", "id:int")
    assert [line.split("] ")[0] for line in result.err.splitlines()] == [
        "error: [scaffold.E012",
        "error: [scaffold.E012",
    ]


def test_outside_a_project_it_says_so(nowhere: Path, manage: Shell) -> None:
    result = manage("startapp", "blog")
    assert result.err.startswith("error: [conf.E013] no settings module is named;")


@pytest.mark.parametrize("place", ["tests/test_blog.py", "shop/blog/routes.py"])
def test_a_file_in_the_way_stops_all(place: str, project: ProjectFolder, manage: Shell) -> None:
    (project.path / place).parent.mkdir(parents=True)
    (project.path / place).write_text("mine")
    before = contents(project.path)
    result = manage("startapp", "blog")
    assert result.code == 2
    assert "exists already" in result.err
    assert contents(project.path) == before


def test_a_table_that_exists_is_told_before_anything_is_written(
    project: ProjectFolder, manage: Shell
) -> None:
    project.write(
        {
            "shop/notes/models.py": """
                from fastforge.contrib.db import Model
                from sqlalchemy.orm import Mapped, mapped_column

                class Old(Model):
                    __tablename__ = "blog_post"
                    id: Mapped[int] = mapped_column(primary_key=True)
                """,
        }
    )
    before = contents(project.path)
    result = manage("startapp", "blog", "--resource", "post", "title:str")
    assert result.err.startswith(
        "error: [scaffold.E014] the project does not load with the new app: [db.E017]"
        " shop/notes/models.py:4: the models shop.blog.models.Post and shop.notes.models.Old have"
        " the same table 'blog_post'; "
    )
    assert result.err.endswith("; nothing has been written\n")
    assert result.err.count("\n") == 1
    assert contents(project.path) == before


def test_a_folder_with_the_remains_of_an_app_is_no_app(
    project: ProjectFolder, manage: Shell
) -> None:
    """Where git has taken the files away, `__pycache__` stays."""
    (project.path / "shop" / "blog" / "__pycache__").mkdir(parents=True)
    assert manage("startapp", "blog", "--dry-run").err == ""


def test_an_app_that_is_there_but_not_installed_is_installed(
    project: ProjectFolder, manage: Shell
) -> None:
    project.write({"shop/blog/__init__.py": "", "shop/blog/models/__init__.py": ""})
    project.write({"shop/blog/routes/__init__.py": ""})
    result = manage("startapp", "blog", "--resource", "post", "title:str")
    assert result.err == ""
    assert {line for line in result.out.splitlines() if " shop/" in line} == {
        "wrote shop/blog/migrations/0001_initial.py",
        "wrote shop/blog/migrations/__init__.py",
        "wrote shop/blog/models/post.py",
        "wrote shop/blog/routes/post.py",
        "wrote shop/blog/schemas.py",
        "edited shop/settings.py",
    }
    assert 'App("shop.blog", prefix="/blog"),\n]' in (project.path / "shop/settings.py").read_text()
    routes = (project.path / "shop/blog/routes/post.py").read_text()
    assert "from ..models.post import Post\nfrom ..schemas import NewPost, " in routes


def test_apps_may_stand_beside_a_settings_module_without_a_package(
    nowhere: Path, manage: Shell
) -> None:
    project = ProjectFolder(nowhere)
    project.write({"pyproject.toml": PYPROJECT.replace("shop.settings", "options")})
    (nowhere / "options.py").write_text("INSTALLED_APPS = []\n")
    assert manage("startapp", "json").err == (
        "error: [scaffold.E003] a package 'json' would hide the module 'json' of Python;"
        " choose another name, for example my_json\n"
    )
    assert manage("startapp", "blog").err == ""
    assert 'App("blog", prefix="/blog")' in (nowhere / "options.py").read_text()
    assert (nowhere / "blog" / "routes.py").exists()
