"""Protocol: what a connection may take of a server, in bytes and in seconds.

Uvicorn's protocol lets a client send headers without end, or a byte a minute for ever. Ours is the
same protocol with limits; no flag of uvicorn's has them.
"""

from .choosing import protocol_of

__all__ = ["protocol_of"]
