"""The page that answers / in development while nothing of the user's does.

answer    when it is shown, and how it is sent
facts     what it tells of the running project
page      the same as HTML
"""

from .answer import add_welcome_page
from .facts import About, AppFact

__all__ = ["About", "AppFact", "add_welcome_page"]
