"""`python -m oko.batch INPUT OUTPUT`: what `oko batch` does, where only this is wanted."""

import typer

from oko.batch.command import batch

if __name__ == "__main__":
    typer.run(batch)
