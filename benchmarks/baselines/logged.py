"""Serve an application by our server: python logged.py APPLICATION PORT; its lines go to stdout."""

import sys

from fastapi import FastAPI

from fastforge.server.serve import bind, serve

from .middleware_line import add_access_line, configure


def usual() -> FastAPI:
    """Return a small application with the usual middleware that logs."""
    app = FastAPI()

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    configure(sys.stdout)
    add_access_line(app)
    return app


if __name__ == "__main__":
    application, port = sys.argv[1:]
    served = usual() if application == "usual" else application
    sys.exit(serve(served, bind("127.0.0.1", int(port)), access_log=False))
