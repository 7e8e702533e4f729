"""Files that appear whole or not at all."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file next to `path` and renames it into its place.

    The old file's permissions, and its owner where allowed, stay. A symbolic link stays one: the
    file that it leads to is replaced.

    Raises:
        OSError: The folder or the disk does not allow it; the old file is as it was.
    """
    target = path.resolve()
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:80]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _like(target, Path(temporary))
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _like(old: Path, new: Path) -> None:
    """Mode, extended attributes and owner of the old file; a new file gets the usual mode."""
    try:
        shutil.copystat(old, new)
        found = old.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        new.chmod(0o666 & ~mask)
        return
    os.utime(new)  # it has changed: backups must see it
    with suppress(PermissionError):  # another's file in a folder of ours becomes ours
        os.chown(new, found.st_uid, found.st_gid)
