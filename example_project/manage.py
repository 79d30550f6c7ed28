"""The command line of this project: `python manage.py --help`."""

from fastforge.management.cli import main

if __name__ == "__main__":
    main()
