"""Errors that end a run."""


class CannotWork(Exception):
    """Base of what ends a run: nothing can be done, or no more. Says what to do about it."""
