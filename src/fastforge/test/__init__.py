"""What tests need: a client, a server, commands in process, jobs, channels, a proxy, set-ups.

The fixtures of the pytest plugin are made of the same things. Names are imported when they are
first used: `client` alone needs httpx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .channels import ChannelClient as ChannelClient
    from .channels import ChannelsUnderTest as ChannelsUnderTest
    from .commands import Result as Result
    from .commands import run_command as run_command
    from .http import client as client
    from .jobs import Jobs as Jobs
    from .proxy import Proxy as Proxy
    from .server import live_server as live_server
    from .setups import ForEachTest as ForEachTest
    from .setups import TestSetup as TestSetup
    from .setups import setup_for_tests as setup_for_tests

_LAZY = {
    "ChannelClient": "channels",
    "ChannelsUnderTest": "channels",
    "ForEachTest": "setups",
    "Jobs": "jobs",
    "Proxy": "proxy",
    "Result": "commands",
    "TestSetup": "setups",
    "client": "http",
    "live_server": "server",
    "run_command": "commands",
    "setup_for_tests": "setups",
}

__all__ = [
    "ChannelClient",
    "ChannelsUnderTest",
    "ForEachTest",
    "Jobs",
    "Proxy",
    "Result",
    "TestSetup",
    "client",
    "live_server",
    "run_command",
    "setup_for_tests",
]


def __getattr__(name: str) -> object:
    from .._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
