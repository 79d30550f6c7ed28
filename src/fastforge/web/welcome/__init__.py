"""The page that answers / in development while nothing of the user's does.

about     what it knows of a project before that runs
answer    when it is shown, and how it is sent
facts     what it tells of the running project
page      the same as HTML
"""

from .about import About, AppFact
from .answer import add_welcome_page

__all__ = ["About", "AppFact", "add_welcome_page"]
