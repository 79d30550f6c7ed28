"""Layout: generated Python source, broken into lines as a formatter would."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import Final

__all__ = ["laid_out"]

WIDTH: Final = 100
INDENT: Final = 4


def laid_out(source: str, *, indent: int) -> str:
    """Return one statement or `with` line, indented, broken where it is too long.

    >>> laid_out("op.drop_table('blog_post')", indent=4)
    '    op.drop_table("blog_post")'
    """
    source = source.strip()
    if source.endswith(":"):
        return " " * indent + _double_quoted(source)
    return " " * indent + _broken(ast.parse(source, mode="eval").body, indent, 0)


def _broken(node: ast.expr, indent: int, taken: int) -> str:
    flat = _double_quoted(ast.unparse(node))
    # One more for the comma that follows.
    if indent + taken + len(flat) + 1 <= WIDTH or not isinstance(node, ast.Call):
        return flat
    inner = indent + INDENT
    parts = [_broken(argument, inner, 0) for argument in node.args]
    for keyword in node.keywords:
        name = f"{keyword.arg}="
        parts.append(name + _broken(keyword.value, inner, len(name)))
    lines = "".join(f"{' ' * inner}{part},\n" for part in parts)
    return f"{_double_quoted(ast.unparse(node.func))}(\n{lines}{' ' * indent})"


def _double_quoted(source: str) -> str:
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for token in reversed(tokens):
        text = token.string
        if token.type == tokenize.STRING and text.startswith("'") and '"' not in text:
            if text.startswith("'''") or "\\'" in text:
                continue
            start, end = token.start[1], token.end[1]
            source = f'{source[:start]}"{text[1:-1]}"{source[end:]}'
    return source
