"""The settings of the example where there is a Redis, for more than one machine.

`FASTFORGE_SETTINGS_MODULE=conduit.settings_redis` chooses them. Redis then carries what is told
live, and counts requests for all processes.
"""

from fastforge.conf import env
from fastforge.contrib.redis import Redis

from . import settings
from .settings import *  # noqa: F403

# Of the apps that carry channels the first that fits does it.
INSTALLED_APPS = ["fastforge.contrib.redis", *settings.INSTALLED_APPS]

REDIS = Redis(url=env.secret("REDIS_URL", help="The Redis of all processes"))
