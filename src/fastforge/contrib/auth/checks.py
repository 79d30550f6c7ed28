"""Checks of AUTH: users, what their passwords are hashed with, and the tokens they are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from ..._utils import did_you_mean
from ...checks import Level, Message, check
from ...core.processes import memory_limit, workers_of
from ..db.kinds import MODELS
from .errors import AuthError
from .kinds import PASSWORD_RULES, TOKEN_VERIFIERS
from .settings import DEFAULT_USER_MODEL, Auth
from .users import model_of

if TYPE_CHECKING:
    from ...project import Project
    from .model import AbstractUser

__all__ = [
    "access_tokens_end_soon",
    "external_tokens_are_installed",
    "hashes_are_strong",
    "hashes_fit_into_memory",
    "rules_exist",
    "user_model_is_usable",
]

LEAST_MEMORY_KIB: Final = {1: 47_104, 2: 19_456, 3: 12_288, 4: 9_216, 5: 7_168}
"""By the number of iterations: what OWASP's cheat sheet asks of argon2id."""
MOST_OF_MEMORY: Final = 0.5
"""What hashes may take of it; the rest is for the processes themselves."""
LONGEST_ACCESS_S: Final = 86_400
EXTERNAL: Final = "fastforge.contrib.auth.external"


@check(tags={"auth", "models"})
def user_model_is_usable(project: Project) -> Iterator[Message]:
    """Find a user model that is none, has no table here, or cannot be logged in by."""
    where = project.settings.where("AUTH")
    try:
        model = model_of(project.settings)
    except AuthError as error:
        yield Message(
            id="auth.E001", level=Level.ERROR, text=error.message, hint=error.hint, where=where
        )
        return
    components = {each.value: each for each in project.registry.components(MODELS)}
    if model not in components:
        yield _not_installed(project)
    elif problem := _login_problem(model):
        yield Message(
            id="auth.E003",
            level=Level.ERROR,
            text=f"the users {model.__name__} log in by {model.login_field!r}, {problem}",
            hint=f"write {model.login_field}: Mapped[str] ="
            " mapped_column(Folded(150), unique=True)",
            where=components[model].location,
        )


def _not_installed(project: Project) -> Message:
    name = project.settings.section(Auth).user_model
    app = name.rpartition(".models.")[0]
    is_default = name == DEFAULT_USER_MODEL
    own = ", or a model of your own as AUTH.user_model" if is_default else ""
    return Message(
        id="auth.E002",
        level=Level.ERROR,
        text=f"AUTH.user_model is {name!r}, which no installed app has in its models.py",
        hint=f'put "{app}" into INSTALLED_APPS{own}',
        where=project.settings.where("AUTH") or project.settings.where("INSTALLED_APPS"),
    )


def _login_problem(model: type[AbstractUser]) -> str:
    table = model.__table__
    column = model.__mapper__.columns.get(model.login_field)
    if column is None:
        near = did_you_mean(model.login_field, model.__mapper__.columns.keys())
        return f"which is none of their columns{f': {near}' if near else ''}"
    constraints = getattr(table, "constraints", ())
    indexes = getattr(table, "indexes", ())
    unique = [each.columns for each in constraints if isinstance(each, sa.UniqueConstraint)]
    unique += [each.columns for each in indexes if each.unique]
    if not any(list(columns) == [column] for columns in unique):
        return "which is not unique: two may have the same"
    return ""


@check(tags={"auth", "settings"})
def rules_exist(project: Project) -> Iterator[Message]:
    """Find names in AUTH.skipped_rules that no rule has."""
    names = [rule.name for rule in project.registry.values(PASSWORD_RULES)]
    for name in project.settings.section(Auth).skipped_rules:
        if name not in names:
            yield Message(
                id="auth.E004",
                level=Level.ERROR,
                text=f"AUTH.skipped_rules names {name!r}, and there is no such rule",
                hint=did_you_mean(name, names) or f"there are {', '.join(names)}",
                where=project.settings.where("AUTH"),
            )


@check(tags={"auth", "security"}, deploy=True)
def hashes_are_strong(project: Project) -> Iterator[Message]:
    """Warn of hashes that are guessed too fast when somebody has taken the table."""
    settings = project.settings
    config = settings.section(Auth)
    memory = config.memory_kib_in("production")
    iterations = config.iterations_in("production")
    least = LEAST_MEMORY_KIB[min(iterations, max(LEAST_MEMORY_KIB))]
    if memory < least:
        yield Message(
            id="auth.W001",
            level=Level.WARNING,
            text=f"passwords are hashed with {memory:,} KiB and {iterations} iterations, which is"
            f" less than OWASP asks for: {least:,} KiB",
            hint="raise AUTH.argon2_memory_kib, or leave both out; users get the new hash when"
            " they log in next",
            where=settings.where("AUTH"),
        )


@check(tags={"auth", "server"}, deploy=True)
def hashes_fit_into_memory(project: Project) -> Iterator[Message]:
    """Warn where the hashes of all processes may take most of the container's memory."""
    settings = project.settings
    limit = memory_limit()
    config = settings.section(Auth)
    processes, threads = workers_of(settings), config.hashing_threads
    each = config.memory_kib_in("production") * 1024
    total = processes * threads * each
    if limit is not None and total > MOST_OF_MEMORY * limit:
        yield Message(
            id="auth.W002",
            level=Level.WARNING,
            text=f"hashing passwords may take {_mib(total)}: {processes} processes x {threads}"
            f" threads x {_mib(each)}, and there are {_mib(limit)} here",
            hint="lower AUTH.hashing_threads or argon2_memory_kib, run fewer processes, or give"
            " the container more memory",
            where=settings.where("AUTH"),
        )


@check(tags={"auth"})
def external_tokens_are_installed(project: Project) -> Iterator[Message]:
    """Find verifiers of others' tokens where the app that they need is not installed."""
    if any(app.name == EXTERNAL for app in project.apps):
        return
    for each in project.registry.components(TOKEN_VERIFIERS):
        if type(each.value).__module__.startswith(f"{EXTERNAL}."):
            yield Message(
                id="auth.E007",
                level=Level.ERROR,
                text=f"the verifier {each.name!r} has nobody to ask by",
                hint=f'put "fastforge.contrib.http" and "{EXTERNAL}" into INSTALLED_APPS',
                where=each.location,
            )


@check(tags={"auth", "security"}, deploy=True)
def access_tokens_end_soon(project: Project) -> Iterator[Message]:
    """Warn of access tokens that live long: whoever steals one has it for as long."""
    seconds = project.settings.section(Auth).access_ttl_s
    if seconds > LONGEST_ACCESS_S:
        yield Message(
            id="auth.W005",
            level=Level.WARNING,
            text=f"access tokens are good for {seconds / 3600:,.0f} hours, and whoever copies one"
            " has it as long",
            hint="leave AUTH.access_ttl_s out; clients stay logged in by refreshing, and programs"
            " have API keys",
            where=project.settings.where("AUTH"),
        )


def _mib(size: float) -> str:
    return f"{size / 1024 / 1024:,.0f} MiB"
