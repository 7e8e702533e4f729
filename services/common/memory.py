"""Memory that has been freed goes back to the system, which the C library does not do by itself."""

import ctypes


def give_back() -> None:
    """Call it after loading a model: unpacking its weights leaves more free memory than used.

    Does nothing where the C library is not glibc.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
