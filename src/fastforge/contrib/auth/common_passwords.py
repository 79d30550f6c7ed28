"""Common passwords: the words that they are made of again and again, whatever is put around."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from typing import Final

__all__ = ["is_common"]

LEET: Final = str.maketrans("013457@$!", "oieastasi")
SHORTEST_RUN: Final = 4
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop")
_COLUMNS: Final = "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"
_SERIES: Final = ("01234567890", "abcdefghijklmnopqrstuvwxyz", *_ROWS, _COLUMNS)

LONGEST_RUN: Final = max(map(len, _SERIES))

_WORDS: Final = """
aaron abc access account adidas admin administrator alex alexander alexis alfred alice amanda amber
america andrea andrew angel angela angels animal anna anthony apple april arsenal arthur ashley
asshole august austin baby babygirl bailey banana barcelona barney baseball basketball batman beach
bear beautiful beaver bella bigdog bird biteme black blahblah blink blue bonnie booboo boss boston
brandon brandy brazil brian brittany bubba buddy bulldog buster butterfly camaro canada captain
carlos casper cassie changeme change charles charlie cheese chelsea cherry chester chicago chicken
chocolate chris christian computer cookie cool cooper corvette cowboy cowboys crystal daddy dakota
dallas daniel danielle david default demo denis dennis diablo diamond doctor dolphin dolphins donald
dragon dreams eagle eagles edward einstein elizabeth emily eminem enter england eric falcon family
fender ferrari fire fishing florida flower flowers football forever frank freedom friend friends
fuckoff fuckyou gandalf gateway george ginger girl godzilla golden golf google gordon green guest
guitar hammer hannah happy harley heather heaven hello helloworld hockey home hotmail house hunter
iceman iloveyou iloveu internet isabella jackie jackson jaguar james january jasmine jason jasper
jennifer jeremy jessica jesus john johnny johnson jonathan jordan joseph joshua juice july june
junior justin kevin killer king kitty knight ladies lakers lauren legend letmein liberty linda
little liverpool login london love lovely lover loveme lucky maggie magic manager marina marine
mario market marlboro martin marvin master matrix matthew maverick maxwell melissa member mercedes
merlin michael michelle mickey midnight mike miller mine monday money monkey monster morgan mother
mountain murphy music mustang naruto nascar nathan natasha newyork nicholas nicole nintendo nothing
november october oliver online orange packers panther paris parker pass passion passw password
passwords passwort patrick peaches peanut pepper phoenix player please pokemon police porsche power
prince princess private purple pussy rabbit rachel rainbow ranger rangers raiders red redskins
redsox richard robert rock rocket ronaldo root rose runner rush samantha sammy samsung sandra saturn
scooter scorpion scott secret security september service shadow shannon sierra silver simple skippy
slayer slipknot smokey snoopy soccer sophie spider spiderman startrek starwars steelers stella
steven sunday sunflower sunshine super superman superstar support sweet sweety system taylor teacher
temp tennis test tester testing thomas thunder tiger tigers tigger tinkerbell toyota trustno
tucker turtle unknown user victoria viking voyager walter warrior welcome whatever white william
willow wilson winner winston winter wizard xavier yamaha yankees yellow zombie
azerty bonjour doudou motdepasse soleil hallo schatz hola contrasena senha iloveyoubaby
summer spring autumn letmeinnow opensesame correcthorsebatterystaple trustnoone
"""


def is_common(password: str) -> bool:
    """Return whether a password is one that is tried first.

    A frequent word, or two of them or one twice, whatever letters it replaces by digits and
    whatever digits and signs surround it; keys that lie in a row; the same few characters again.

    >>> is_common("P@ssw0rd2024!"), is_common("qwertyuiop12"), is_common("plum-kettle-9")
    (True, True, False)
    """
    text = unicodedata.normalize("NFKC", password).lower()
    return _repeats(text) or _is_made_of_runs(text) or any(map(_is_made_of_words, _bared(text)))


def _bared(text: str) -> set[str]:
    """Return a text without what is put around a word, before and after its digits are letters."""
    plain = re.sub(r"[\W_]+", "", text)
    bare = plain.strip("0123456789")
    forms = {plain, bare, text.rstrip("0123456789!?.#*-_")}
    leet = {re.sub(r"[\W\d_]+", "", form.translate(LEET)) for form in (text, *forms)}
    return {form for form in forms | leet if form}


def _is_made_of_words(text: str) -> bool:
    words = _words()
    if text in words:
        return True
    return any(text[:cut] in words and text[cut:] in words for cut in range(3, len(text) - 2))


@functools.cache
def _words() -> frozenset[str]:
    return frozenset(_WORDS.split())


def _repeats(text: str) -> bool:
    """Return whether a text is up to four characters, again and again."""
    return (
        any(
            text == (text[:length] * len(text))[: len(text)]
            for length in range(1, min(4, len(text)))
        )
        and len(text) > 1
    )


def _is_made_of_runs(text: str) -> bool:
    """Return whether nothing is left of a text without the rows of the keyboard and counting."""
    position = 0
    while position < len(text):
        length = next(
            (
                size
                for size in range(min(len(text) - position, LONGEST_RUN), SHORTEST_RUN - 1, -1)
                if _is_run(text[position : position + size])
            ),
            0,
        )
        if not length:
            return position > 0 and text[position:].isdecimal() and len(text) - position <= 4
        position += length
    return True


@functools.cache
def _runs() -> tuple[str, ...]:
    return tuple(itertools.chain.from_iterable((row, row[::-1]) for row in _SERIES))


def _is_run(text: str) -> bool:
    return any(text in run for run in _runs())
