"""Names: whether what stands under a name is a secret, by the words that the name consists of.

By words, not by letters: `user_password`, `accessToken` and `X-Api-Key` hold secrets, `tokenizer`
and `secretary` do not, and neither does what only describes one: `token_count`, `cookie_name`.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

from .rules import current
from .words import words_of

__all__ = ["MASK", "is_hidden", "is_sensitive"]

MASK: Final = "***"

LONGEST_NAME: Final = 256
"""Beyond it nothing is a name; clients choose the names of members and of parameters."""


def _listed(names: str) -> frozenset[str]:
    return frozenset(names.split())


SECRETS: Final = _listed(
    "password passwords passwd pwd passphrase passcode pgpass secret secrets token tokens "
    "authorization cookie cookies dsn credential credentials creds csrf xsrf jwt bearer otp "
    "cvv cvc"
)
"""Words that make a name that of a secret."""

ENDINGS: Final = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "sessionid",
    "sessid",
)
"""How a word ends that was written together: `dbpassword`, `authtoken`, `PHPSESSID`."""

PAIRS: Final = frozenset(
    tuple(pair.split("_"))
    for pair in _listed(
        "api_key api_keys access_key access_keys private_key private_keys encryption_key "
        "signing_key account_key shared_key master_key session_key session_id auth_key ssh_key "
        "service_key license_key auth_code security_code recovery_code recovery_codes "
        "backup_codes verification_code connection_string"
    )
)
"""Words that do so one after the other."""

DESCRIBING: Final = _listed(
    "count length len size limit type kind name names expires expiry expiration ttl age at until "
    "s ms seconds minutes hours days lifetime enabled required algorithm alg field header path "
    "file policy version status endpoint"
)
"""Last words of names that hold something about a secret: `token_type`, `SECRET_KEY_FILE`."""

ASKING: Final = _listed("has is allow allows needs requires max min num n count")
"""First words of such names: `has_token`, `allow_credentials`, `max_tokens`."""

COUNTING: Final = _listed("total prompt completion input output cached reasoning used remaining")
"""Words beside `tokens` that are counted, as language models do."""


def is_sensitive(name: str) -> bool:
    """Return whether what stands under a name is never shown.

    ```python
    assert is_sensitive("user_password") and is_sensitive("accessToken")
    assert is_sensitive("X-Api-Key") and is_sensitive("DATABASE_DSN")
    assert not is_sensitive("tokenizer") and not is_sensitive("max_tokens")
    ```

    Args:
        name: Of a setting, a field, a member of JSON, a header, a cookie or a parameter.
    """
    if len(name) > LONGEST_NAME:
        return False
    rules = current()
    if rules.is_plain:
        return _is_sensitive(name)
    words = words_of(name)
    if _stand_in(rules.shown_words, words):
        return False
    return _stand_in(rules.secret_words, words) or _is_sensitive(name)


def is_hidden(name: str, value: object) -> bool:
    """Return whether a value under a name is never shown.

    A yes or no always is, and so is a number under a plural: so many tokens.
    """
    if value is None or value is True or value is False or not is_sensitive(name):
        return False
    return not (isinstance(value, int | float) and name[-1:] in "sS")


@lru_cache(maxsize=4096)
def _is_sensitive(name: str) -> bool:
    words = words_of(name)
    if not any(map(_is_secret, words)) and PAIRS.isdisjoint(pairwise(words)):
        return words[-1:] == ("pass",)  # `db_pass`, but not `pass_rate`
    if words[-1] in DESCRIBING or words[0] in ASKING:
        return False
    return "tokens" not in words or COUNTING.isdisjoint(words)


def _is_secret(word: str) -> bool:
    return word in SECRETS or word.endswith(ENDINGS)


def _stand_in(known: frozenset[tuple[str, ...]], words: tuple[str, ...]) -> bool:
    """Return whether one of the names stands in another one, word by word."""
    return any(
        words[start : start + len(each)] == each
        for each in known
        for start in range(len(words) - len(each) + 1)
    )
