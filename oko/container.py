"""`python -m oko.container`: all three services in one container, the gateway on `$PORT`.

The container's process 1. The encoder and the decoder listen on the loopback address only. A
service that dies is started again, so the others need not stop. At SIGTERM the gateway drains
first, while the services that its requests need still run.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

PAUSE_S = 0.5
"""Before a service is started again; doubled up to `LONGEST_PAUSE_S` while it keeps dying."""
LONGEST_PAUSE_S = 15.0
STEADY_S = 60.0
"""A service that ran this long is not one that keeps dying."""
BAD_SETUP = 2
"""Exit code of a service whose settings or models are not valid; starting again cannot help."""


class BadSetupError(Exception):
    """A service said what is wrong and ended; nothing can be served."""


@dataclass
class Service:
    name: str
    environment: Mapping[str, str]
    process: asyncio.subprocess.Process | None = field(default=None)

    async def keep_running(self) -> None:
        """Starts the service, and again whenever it ends; raises `BadSetupError`."""
        pause = PAUSE_S
        while True:
            started = time.monotonic()
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"services.{self.name}",
                env={**os.environ, **self.environment},
            )
            code = await self.process.wait()
            if code == BAD_SETUP:
                raise BadSetupError(self.name)
            pause = PAUSE_S if time.monotonic() - started > STEADY_S else pause
            print(
                f"oko: the {self.name} ended with {code}; again in {pause:.1f} s", file=sys.stderr
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def stop(self) -> None:
        """SIGTERM, then waits: the service ends by itself within its drain time."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


def services(environment: Mapping[str, str]) -> tuple[Service, Service, Service]:
    """Gateway, encoder and decoder, wired to each other; other settings are theirs as they are."""
    encoder = environment.get("OKO_ENCODER_PORT", "8001")
    decoder = environment.get("OKO_DECODER_PORT", "8002")
    inner = {"OKO_HOST": "127.0.0.1", "OKO_DRAIN_DELAY_S": "0"}
    gateway = {
        "OKO_HOST": "0.0.0.0",  # noqa: S104 - it is the public one
        "OKO_GATEWAY_PORT": environment.get("PORT", "8000"),
        "OKO_ENCODER_URL": f"http://127.0.0.1:{encoder}",
        "OKO_DECODER_URL": f"http://127.0.0.1:{decoder}",
    }
    return Service("gateway", gateway), Service("encoder", inner), Service("decoder", inner)


async def run() -> int:
    """Until SIGTERM or SIGINT (0), or a service that cannot start (2)."""
    gateway, *inner = services(os.environ)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keepers = [asyncio.create_task(service.keep_running()) for service in (*inner, gateway)]
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, *keepers], return_when=asyncio.FIRST_COMPLETED)
    for task in (stopping, *keepers):
        task.cancel()
    ended = await asyncio.gather(*keepers, return_exceptions=True)
    await gateway.stop()
    await asyncio.gather(*(service.stop() for service in inner))
    return BAD_SETUP if any(isinstance(end, BadSetupError) for end in ended) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
