"""Templates are found, filled with escaped values, and tell their mistakes in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fastforge import Role
from fastforge.asgi import get_asgi_application
from fastforge.checks import run_checks
from fastforge.contrib.templates import TemplateError
from fastforge.contrib.templates.resources import renderer
from tests.folder import ProjectFolder, isolated
from tests.processes import run

SHOP = {
    "shop/settings.py": """
        from fastforge.contrib.templates import Templates

        INSTALLED_APPS = [
            "fastforge.contrib.static", "fastforge.contrib.templates", "shop.blog", "shop.news",
        ]
        TEMPLATES = Templates(directories=["templates"])
        """,
    "shop/blog/__init__.py": "",
    "shop/news/__init__.py": "",
    "templates/base.html": "<title>{% block title %}{% endblock %}</title>",
    "shop/blog/templates/base.html": "of the blog",
    "shop/blog/templates/blog/index.html": """
        {% extends "base.html" %}
        {% block title %}{{ title }}{% endblock %}
        """,
    "shop/blog/templates/both.html": "of the blog",
    "shop/news/templates/both.html": "of the news",
    "shop/news/templates/news/mail.txt": "Dear {{ name }}",
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


async def filled(shop: ProjectFolder, name: str, /, *, env: str = "test", **values: object) -> str:
    async with shop.load({"FASTFORGE_ENV": env}).running(Role.COMMAND) as container:
        return container[renderer].text(name, values)


async def refusal(shop: ProjectFolder, name: str, /, **values: object) -> str:
    with pytest.raises(TemplateError) as caught:
        await filled(shop, name, **values)
    return str(caught.value).replace(f"{shop.path}/", "")


async def test_folders_of_the_settings_come_first_then_the_apps_in_order(
    shop: ProjectFolder,
) -> None:
    assert await filled(shop, "blog/index.html", title="Hello") == "<title>Hello</title>"
    assert await filled(shop, "both.html") == "of the blog"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("<p>{{ word }}</p>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;&#34;</p>"),
        ("<p title='{{ word }}'>", "<p title='&lt;script&gt;alert(1)&lt;/script&gt;&#34;'>"),
        ("{{ word | upper }}", "&lt;SCRIPT&gt;ALERT(1)&lt;/SCRIPT&gt;&#34;"),
        ("{{ [word] | join(',') }}", "&lt;script&gt;alert(1)&lt;/script&gt;&#34;"),
    ],
)
async def test_values_are_escaped(shop: ProjectFolder, template: str, expected: str) -> None:
    for name in ("page.html", "page.htm", "page.html.j2", "page.xml", "page.svg", "page"):
        shop.write({f"templates/{name}": template})
        assert await filled(shop, name, word='<script>alert(1)</script>"') == expected, name


async def test_values_of_plain_text_are_not(shop: ProjectFolder) -> None:
    assert await filled(shop, "news/mail.txt", name="Ann & Bob") == "Dear Ann & Bob"
    shop.write({"templates/mail.txt.j2": "{{ name }}"})
    assert await filled(shop, "mail.txt.j2", name="<Ann>") == "<Ann>"


ROUTES = """
    from fastapi import APIRouter
    from fastapi.responses import HTMLResponse
    from fastforge.contrib.templates import Render

    router = APIRouter()

    @router.get("/posts/{number}")
    async def show(number: int, render: Render) -> HTMLResponse:
        return render("blog/show.html", {"number": number}, status_code=203, headers={"x-a": "b"})

    @router.get("/plain")
    def plain(render: Render) -> HTMLResponse:
        return render("news/mail.txt", {"name": "<b>"})
    """


def test_a_handler_answers_with_a_page_that_knows_its_request(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/blog/routes.py": ROUTES,
            "shop/blog/templates/blog/macros.html": (
                '{% macro link() %}{{ url_for("show", number=8) }} {{ static("a b.css") }}'
                "{% endmacro %}"
            ),
            "shop/blog/templates/blog/show.html": """
                {% from "blog/macros.html" import link %}
                {{ request.url.path }} {{ number }} {{ link() }}
                """,
        }
    )
    with TestClient(get_asgi_application(shop.load()), root_path="/app") as client:
        answer = client.get("/app/posts/7")
        assert answer.text.split() == [
            "/app/posts/7",
            "7",
            "http://testserver/app/posts/8",
            "/app/static/a%20b.css",
        ]
        assert (answer.status_code, answer.headers["x-a"]) == (203, "b")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        plain = client.get("/plain")
        assert plain.text == "Dear <b>"
        assert plain.headers["content-type"] == "text/plain; charset=utf-8"


async def test_a_task_fills_a_mail_and_has_no_request(shop: ProjectFolder) -> None:
    from fastforge.lifecycle import execute, plan

    shop.write(
        {
            "shop/news/mails.py": """
                from fastforge import injected
                from fastforge.contrib.templates import Render

                async def mail(name: str, *, render: Render = injected) -> str:
                    return render.text("news/mail.txt", {"name": name})
                """,
            "templates/link.html": "\n{{ url_for('show') }}",
        }
    )
    project = shop.load()
    from shop.news.mails import mail  # type: ignore[import-not-found]

    async with (
        project.running(Role.WORKER) as container,
        execute(container, plan(mail, takes_arguments=True)) as values,
    ):
        assert await mail("Ann", **values) == "Dear Ann"
    told = await refusal(shop, "link.html")
    assert told.startswith(
        "[templates.E004] templates/link.html:1: url_for('show') was called where no request"
    )


async def test_apps_offer_functions_and_filters(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/blog/template_helpers.py": """
                from markupsafe import Markup
                from fastforge.contrib.templates import template_filter, template_function

                @template_filter
                def euros(cents: int) -> str:
                    return f"{cents / 100:.2f} <euros>"

                @template_function
                def line() -> str:
                    return Markup("<hr>")
                """,
            "templates/price.html": "{{ 250 | euros }}{{ line() }}",
        }
    )
    assert await filled(shop, "price.html") == "2.50 &lt;euros&gt;<hr>"


# --- mistakes ------------------------------------------------------------------------------------


async def test_a_template_that_is_not_there_is_told_with_the_folders_and_the_nearest(
    shop: ProjectFolder,
) -> None:
    told = await refusal(shop, "blog/indx.html")
    assert told.endswith(
        "test_templates.py:"
        + told.partition("test_templates.py:")[2].partition(":")[0]
        + ": there is no template 'blog/indx.html'; searched: templates, shop/blog/templates,"
        " shop/news/templates; did you mean 'blog/index.html'?"
    )
    assert told.startswith("[templates.E001] ")


async def test_a_template_that_names_one_that_is_not_there_is_told_at_its_line(
    shop: ProjectFolder,
) -> None:
    shop.write({"templates/page.html": "<p>\n\n{% include 'bse.html' %}"})
    told = await refusal(shop, "page.html")
    assert told.startswith(
        "[templates.E001] templates/page.html:3: there is no template 'bse.html'"
    )
    assert told.endswith("did you mean 'base.html'?")


async def test_a_template_that_cannot_be_read_is_told_at_its_line(shop: ProjectFolder) -> None:
    shop.write({"templates/tag.html": "{% extend 'base.html' %}"})
    assert (await refusal(shop, "tag.html")).endswith("; did you mean 'extends'?")
    shop.write({"templates/page.html": "<p>\n{{ 'x' | uper }}"})
    assert await refusal(shop, "page.html") == (
        "[templates.E002] templates/page.html:2: the template 'page.html' cannot be read:"
        " No filter named 'uper'.; did you mean 'upper'?"
    )


async def test_a_template_that_is_no_text_is_told_at_its_line(shop: ProjectFolder) -> None:
    (shop.path / "templates/latin.html").write_bytes(b"<p>\n\ngr\xfc\xdfe")
    shop.write({"templates/page.html": "{% include 'latin.html' %}"})
    for name in ("latin.html", "page.html"):
        assert await refusal(shop, name) == (
            "[templates.E002] templates/latin.html:3: the template 'latin.html' cannot be read:"
            " it is not UTF-8 text; save it as UTF-8"
        )


async def test_a_template_that_includes_itself_is_told_at_its_line(shop: ProjectFolder) -> None:
    shop.write({"templates/ring.html": "ring\n{% include 'ring.html' %}\n"})
    assert await refusal(shop, "ring.html") == (
        "[templates.E006] templates/ring.html:2: the template 'ring.html' comes to no end: it, or"
        " what it calls, includes itself; let the inclusion depend on something that ends"
    )


def test_the_address_of_a_route_that_there_is_not_is_told_at_its_line(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/blog/routes.py": ROUTES,
            "shop/blog/templates/blog/show.html": "<p>\n{{ url_for('plein') }}",
            "shop/news/templates/news/mail.txt": "{{ url_for('show', nummer=7) }}",
        }
    )
    with TestClient(get_asgi_application(shop.load())) as client:
        for path, told in (
            (
                "/posts/7",
                "shop/blog/templates/blog/show.html:2: no route is called 'plein';"
                " did you mean 'plain'?",
            ),
            (
                "/plain",
                "shop/news/templates/news/mail.txt:1: url_for('show') was given other parameters"
                " than the route has; its path is /posts/{number}, and given was nummer",
            ),
        ):
            with pytest.raises(TemplateError) as caught:
                client.get(path)
            message = str(caught.value).replace(f"{shop.path}/", "")
            assert message == f"[templates.E005] {told}"


async def test_a_name_without_a_value_is_an_error_but_in_production(shop: ProjectFolder) -> None:
    told = await refusal(shop, "blog/index.html", titel="Hello")
    assert told == (
        "[templates.E003] shop/blog/templates/blog/index.html:2: a template asks for what it was"
        " not given: 'title' is undefined; did you mean 'titel'?"
    )
    assert await filled(shop, "blog/index.html", env="production") == "<title></title>"
    shop.write({"templates/page.html": "{{ statc('x.css') }}"})
    assert (await refusal(shop, "page.html")).endswith("; did you mean 'static'?")


def test_check_finds_what_would_fail(shop: ProjectFolder) -> None:
    shop.write(
        {
            "templates/a.html": "{% if x %}\n",
            "templates/b.html": "{% extends 'bse.html' %}{% include 'no.html' ignore missing %}",
            "templates/c.html": "<p>\n{% include 'news/mail.txt' %}",
            "shop/settings.py": SHOP["shop/settings.py"].replace(
                '["templates"]', '["templates", "pages"]'
            ),
        }
    )
    (shop.path / "templates/logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (shop.path / "templates/latin.html").write_bytes(b"<p>\ngr\xfc\xdfe")
    found = [
        str(message).replace(f"{shop.path}/", "")
        for message in run_checks(shop.load(), tags=["templates"])
    ]
    assert [message.partition("] ")[0] for message in found] == [
        "error [templates.E010",
        "error [templates.E010",
        "error [templates.E011",
        "error [templates.E012",
        "warning [templates.W001",
    ]
    assert "templates/a.html:1: the template 'a.html' cannot be read: Unexpected end" in found[0]
    assert "templates/latin.html:2: the template 'latin.html' cannot be read: it is not" in found[1]
    assert "templates/b.html:1: no folder has the template 'bse.html' that is named" in found[2]
    assert "shop/settings.py:6: TEMPLATES.directories names 'pages', which is no" in found[3]
    assert "templates/c.html:2: 'c.html' is HTML and takes in 'news/mail.txt', whose" in found[4]


def test_without_jinja_the_line_that_installs_it_is_told(shop: ProjectFolder) -> None:
    program = (
        "import sys; sys.modules['jinja2'] = None;"
        "from fastforge.management.cli import main; sys.argv = ['manage', 'check']; main()"
    )
    import sys

    environ = {"FASTFORGE_ENV": "test", "FASTFORGE_SETTINGS_MODULE": "shop.settings"}
    done = run([sys.executable, "-c", program], cwd=shop.path, env=environ)
    assert done.returncode == 2
    assert done.stderr == (
        "error: [conf.E020] the package 'jinja2' is not installed;"
        ' install it with: pip install "fastforge-framework[templates]"\n'
    )
