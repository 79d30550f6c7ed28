"""The settings of Conduit: on a laptop SQLite, elsewhere what DATABASE_URL says."""

from pathlib import Path

from fastforge.conf import App, env
from fastforge.contrib.auth import Auth
from fastforge.contrib.db import Database
from fastforge.contrib.mail import Mail
from fastforge.web import Cors, Security

BASE_DIR = Path(__file__).parent.parent

SECRET_KEY = env.secret(
    "SECRET_KEY",
    default="an-example-that-nothing-in-production-starts-with",
    help="Signs what the project hands out",
)
ALLOWED_HOSTS = env(
    "ALLOWED_HOSTS",
    list[str],
    default=["localhost", "127.0.0.1"],
    help="The Host headers that are answered",
)

INSTALLED_APPS = [
    "fastforge.contrib.db",
    "fastforge.contrib.db.file_channels",
    "fastforge.contrib.db.postgres_channels",
    "fastforge.contrib.jobs",
    "fastforge.contrib.auth",
    "fastforge.contrib.ratelimit",
    "fastforge.contrib.mail",
    "fastforge.contrib.static",
    "fastforge.contrib.templates",
    App("conduit.accounts", prefix="/api"),
    App("conduit.articles", prefix="/api"),
    App("conduit.notifications", prefix="/api"),
    "conduit.pages",
]

MIDDLEWARE = ["starlette.middleware.gzip.GZipMiddleware"]

CORS = Cors(
    allow_origins=env(
        "CORS_ORIGINS",
        list[str],
        default=[],
        help="Where the pages come from that call the API, https://conduit.example for one",
    )
)

# No script and no style but our own, in no frame; pictures of people may be anywhere.
SECURITY = Security(
    content_security_policy="default-src 'self'; img-src 'self' https: data:; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)

DATABASES = {
    "default": Database(
        url=env.secret(
            "DATABASE_URL",
            default="sqlite+aiosqlite:///db.sqlite3",
            help="Where the rows and the jobs are",
        ),
    ),
}

AUTH = Auth(
    user_model="conduit.accounts.models.User",
    scheme="Token",
    access_ttl_s=14 * 24 * 3600,
    skipped_rules=["password_common"],  # the clients and tests of RealWorld use "password"
)

SILENCED_CHECKS = {
    "auth.W005": "clients of RealWorld know one token, and refresh none",
    "core.W004": "nothing starts in production with a key that is an example",
}

_smtp_host = env("SMTP_HOST", default="", help="The server that sends mail; without one the log")
MAIL = Mail(
    backend="smtp" if _smtp_host else "console",
    host=_smtp_host,
    username=env("SMTP_USERNAME", default="", help="Who logs in there"),
    password=env.secret("SMTP_PASSWORD", default="", help="The password"),
    from_address="Conduit <conduit@example.org>",
)
