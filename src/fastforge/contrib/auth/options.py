"""Options: what the commands about users have in common on the command line."""

from __future__ import annotations

from typing import Annotated, TypeAlias

__all__ = ["FieldValues", "Login", "NoInput", "PasswordStdin"]

Login: TypeAlias = Annotated[str, "What they log in by; asked for unless given."]
FieldValues: TypeAlias = Annotated[list[str], "NAME=VALUE: another column of the user."]
PasswordStdin: TypeAlias = Annotated[bool, "Take the password from standard input."]
NoInput: TypeAlias = Annotated[bool, "Ask for nothing; what is missing is an error."]
