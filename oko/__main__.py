"""`python -m oko` is `oko`."""

from oko.cli import app

if __name__ == "__main__":
    app(prog_name="oko")
