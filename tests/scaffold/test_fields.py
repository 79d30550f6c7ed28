"""The fields of a resource are read as they are typed; every mistake is told, with the way out."""

from __future__ import annotations

import pytest

from fastforge.exceptions import CommandError, ForgeError
from fastforge.scaffold.fields import TYPES, read_fields
from fastforge.scaffold.resource import read_resource


def told(*texts: str) -> list[str]:
    with pytest.raises(ForgeError) as caught:
        read_fields(texts)
    return str(caught.value).splitlines()


def test_a_field_is_a_name_a_type_and_what_else_holds() -> None:
    title, bio, email = read_fields(["title:str", "bio:text:null", "email:str:unique:index"])
    assert (title.name, title.type_name, title.is_unique) == ("title", "str", False)
    assert (bio.is_nullable, bio.is_unique, bio.is_indexed) == (True, False, False)
    assert (email.is_nullable, email.is_unique, email.is_indexed) == (False, True, True)


@pytest.mark.parametrize("name", TYPES)
def test_the_example_of_a_type_differs_with_the_number(name: str) -> None:
    """The generated test needs rows that do not clash; a bool has two values, one after another."""
    example = read_fields([f"field:{name}"])[0].example
    values = [eval(example, {"number": number}) for number in (1, 2, 3, 28)]
    if name == "bool":
        assert values[:2] == [False, True]
    else:
        assert all(values.count(value) == 1 for value in values)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("title", "the field 'title' has no type; write title:str"),
        ("title:", "the field 'title:' has no type; write title:str"),
        ("title:string", "the field 'title' has the unknown type 'string'; did you mean 'str'?"),
        ("n:interger", "the field 'n' has the unknown type 'interger'; did you mean 'int'?"),
        ("n:CharField", "the field 'n' has the unknown type 'CharField'; did you mean 'str'?"),
        ("n:datetme", "the field 'n' has the unknown type 'datetme'; did you mean 'datetime'?"),
        (
            "n:xyzzy",
            "the field 'n' has the unknown type 'xyzzy'; there are str, text, int, float, decimal,"
            " bool, date, datetime, uuid, json",
        ),
        ("bio:text?", "'text?' is no type; write bio:text:null"),
        ("n:int:uniqe", "'uniqe' in 'n:int:uniqe' says nothing of a field; did you mean 'unique'?"),
        ("n:int:0", "'0' in 'n:int:0' says nothing of a field; there are unique, index, null"),
        ("n:json:unique", "a field of type json cannot be unique; got 'n:json:unique'"),
        ("class:str", "the field 'class' is a keyword of Python; for example class_name"),
        ("id:int", "the field 'id' is taken by every model or schema; it is there already"),
        (
            "metadata:json",
            "the field 'metadata' is taken by every model or schema;"
            " choose another, for example metadata_value",
        ),
        ("model_dump:str", "the field 'model_dump' is taken by every model or schema;"),
        ("int:int", "the field 'int' is taken by every model or schema;"),
        ("Title:str", "'Title' cannot be the name of a field; use small letters, digits and _,"),
        ("_title:str", "'_title' cannot be the name of a field;"),
        (":str", "'' cannot be the name of a field;"),
        (f"{'x' * 31}:str", f"the field '{'x' * 31}' has 31 characters; use at most 30"),
    ],
)
def test_a_mistake_is_one_line(text: str, line: str) -> None:
    lines = told(text)
    assert len(lines) == 1
    assert lines[0].startswith(f"[scaffold.E012] {line}")


def test_all_mistakes_are_told_at_once() -> None:
    lines = told("title:string", "ok:str", "id:int:uniqe", "ok:int", "day:dat")
    assert [line.split(";")[0].removeprefix("[scaffold.E012] ") for line in lines] == [
        "the field 'title' has the unknown type 'string'",
        "the field 'id' is taken by every model or schema",
        "'uniqe' in 'id:int:uniqe' says nothing of a field",
        "the field 'ok' is given twice",
        "the field 'day' has the unknown type 'dat'",
    ]


@pytest.mark.parametrize(
    ("name", "fields", "line"),
    [
        ("post", [], "[scaffold.E012] the resource 'post' has no fields; write them behind it:"),
        ("my-post", ["a:str"], "[scaffold.E010] 'my-post' cannot be the name of an app or a"),
        ("depends", ["a:str"], "a model Depends would hide the Depends that it is made with"),
        ("depends", ["a:str"], "choose another name, for example depends_entry"),
        ("x" * 31, ["a:str"], "has 31 characters; use at most 30, so that PostgreSQL can name"),
    ],
)
def test_a_resource_that_cannot_be_is_one_line(name: str, fields: list[str], line: str) -> None:
    with pytest.raises(CommandError) as caught:
        read_resource(name, fields)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
