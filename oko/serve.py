"""`python -m oko.serve`: the three services of the Procfile, supervised by honcho."""

import os
import shlex
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager

from services.common.settings import REPOSITORY
from services.decoder.settings import DecoderSettings
from services.encoder.settings import EncoderSettings
from services.gateway.settings import GatewaySettings

PATIENCE_S = 120.0


def main() -> int:
    gateway, encoder, decoder = GatewaySettings(), EncoderSettings(), DecoderSettings()
    ports = {
        "gateway": gateway.gateway_port,
        "encoder": encoder.encoder_port,
        "decoder": decoder.decoder_port,
    }
    for service, port in ports.items():
        if _taken(gateway.host, port):
            print(
                f"oko: port {port} is taken, and the {service} needs it. Stop what listens there, "
                f"or choose another with OKO_{service.upper()}_PORT.",
                file=sys.stderr,
            )
            return 1
    environment = {
        "OKO_LOG_FORMAT": "console",
        "ORT_DISABLE_TELEMETRY": "1",  # read when onnxruntime is imported
        "OKO_ENCODER_URL": f"http://127.0.0.1:{encoder.encoder_port}",
        "OKO_DECODER_URL": f"http://127.0.0.1:{decoder.decoder_port}",
        "PYTHONUNBUFFERED": "1",
        **os.environ,
    }
    manager = Manager()
    for name, command in _procfile(_path("Procfile")).items():
        manager.add_process(name, command, env=environment, cwd=str(REPOSITORY))
    url = f"http://127.0.0.1:{gateway.gateway_port}"
    threading.Thread(target=_announce, args=(url,), daemon=True).start()
    manager.loop()
    return int(manager.returncode or 0)


def _path(name: str) -> Path:
    """In a checkout, or where the package is installed."""
    installed = REPOSITORY / "oko" / name
    return installed if installed.exists() else REPOSITORY / name


def _procfile(path: Path) -> dict[str, str]:
    """Commands by name, with this interpreter in place of `python`; exec: signals reach it."""
    python = shlex.quote(sys.executable)
    return {
        name: "exec " + command.replace("python", python, 1)
        for name, command in parse_procfile(path.read_text(encoding="utf-8")).processes.items()
    }


def _taken(host: str, port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return True
    return False


def _announce(url: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=2):  # noqa: S310 - http://
                print(f"\n  Oko is ready: {url}   (API: {url}/docs, stop: Ctrl-C)\n", flush=True)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)


if __name__ == "__main__":
    sys.exit(main())
