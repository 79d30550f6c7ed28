"""`python -m fastforge` and the `fastforge` script: the command line."""

from .management.cli import main

if __name__ == "__main__":
    main()
