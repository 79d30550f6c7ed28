"""Serve an application by our server in one process: python our_server.py APPLICATION PORT."""

import sys

from fastforge.server.serve import bind, serve

if __name__ == "__main__":
    application, port = sys.argv[1:]
    sys.exit(serve(application, bind("127.0.0.1", int(port)), access_log=False))
