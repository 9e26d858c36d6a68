"""Let `python -m permmigrate` be the console script."""

from permmigrate.cli import main

if __name__ == "__main__":
    main()
