"""`podman kube play` with a store of its own, which leaves the machine as it was."""

import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.compose.docker import run


@dataclass(frozen=True)
class Podman:
    folder: Path

    @classmethod
    def at(cls, folder: Path) -> "Podman":
        """Limits that this process may set; podman's own defaults ask for more than some have."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        runtime = "runc" if shutil.which("runc") else "crun"  # crun knows no mixed cgroups
        (folder / "containers.conf").write_text(
            f"""[containers]
default_ulimits = ["nofile={soft}:{hard}", "nproc=4096:4096"]
[engine]
runtime = "{runtime}"
""",
            encoding="utf-8",
        )
        return cls(folder)

    def command(self, *arguments: str) -> list[str]:
        store = ("--root", str(self.folder / "store"), "--runroot", str(self.folder / "run"))
        return ["podman", *store, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {"CONTAINERS_CONF": str(self.folder / "containers.conf")}

    def __call__(self, *arguments: str, check: bool = True) -> str:
        return run(self.command(*arguments), check=check, environment=self.environment)

    def take_from_docker(self, *images: str) -> None:
        """Copies images from the Docker engine."""
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as source:
            subprocess.run(
                self.command("load"),
                stdin=source.stdout,
                env={**os.environ, **self.environment},
                capture_output=True,
                check=True,
            )
        assert source.returncode == 0
