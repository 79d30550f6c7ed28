"""Look at jobs, and retry, cancel or discard them.

Ids may be shortened to what no other id begins with. --json writes one object a line. A time
behind --since and --until is how long ago (30min, 2h, 3d) or when (2026-11-29T10:00+01:00);
without an offset it is one of TIME_ZONE.
"""
