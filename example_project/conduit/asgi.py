"""The application, for every ASGI server: `conduit.asgi:app`."""

from fastforge.asgi import get_asgi_application

app = get_asgi_application()
