"""`python -m gatehold` is the command line."""

from gatehold.cli.main import main

if __name__ == "__main__":
    main()
