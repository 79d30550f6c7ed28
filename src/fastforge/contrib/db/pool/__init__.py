"""Pool: the connections that one process has to a database, and what is known of them."""

from __future__ import annotations
