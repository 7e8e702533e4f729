"""`pip install .` into an environment of its own, used from another folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oko.captioner import Captioner
from tests import photos
from tests.processes import REPOSITORY, free_port

pytestmark = pytest.mark.slow
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment's folder of programs. The package comes from a wheel, as pip makes it."""
    folder = tmp_path_factory.mktemp("installed")
    wheels = folder / "wheels"
    wheel = [sys.executable, *PIP, "wheel", "--no-deps", "-w", str(wheels), str(REPOSITORY)]
    subprocess.run(wheel, check=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    programs = folder / "venv" / "bin"
    (package,) = wheels.glob("oko-*.whl")
    constraints = REPOSITORY / "requirements" / "constraints.txt"
    install = [programs / "python", *PIP, "install", "-c", constraints, package]
    subprocess.run(install, check=True)
    return programs


def oko(programs: Path, folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [programs / "oko", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_captions_with_the_models_inside(installed: Path, tmp_path: Path) -> None:
    assert oko(installed, tmp_path, "--version").stdout.startswith("oko 0.")
    with Captioner(languages=["en"]) as captioner:
        best, *_ = captioner.caption(photos.CAT)
    assert oko(installed, tmp_path, "caption", photos.CAT).stdout.strip() == best.text
    output = tmp_path / "captions.jsonl"
    oko(installed, tmp_path, "caption", photos.CAT, "-l", "uk", "--sidecar", "--output", output)
    assert "caption_uk" in output.read_text()
    oko(installed, tmp_path, "explain", photos.CAT, "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_extras_are_asked_for_by_name(installed: Path, tmp_path: Path) -> None:
    command = [installed / "oko", "caption", photos.CAT, "--output", "captions.parquet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "oko[parquet]" in done.stderr


def test_completion_for_the_shell(installed: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "_OKO_COMPLETE": "complete_bash",
        "COMP_WORDS": "oko capt",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [installed / "oko"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["caption"]


def test_serves(installed: Path, tmp_path: Path) -> None:
    ports = {name: str(free_port()) for name in ("gateway", "encoder", "decoder")}
    settings = {f"OKO_{name.upper()}_PORT": port for name, port in ports.items()}
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [installed / "oko", "serve"],
            cwd=tmp_path,
            env={**os.environ, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 120
        while "Oko is ready" not in (tmp_path / "log").read_text():
            assert time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.2)
        url = f"http://127.0.0.1:{ports['gateway']}"
        served = oko(installed, tmp_path, "caption", photos.CAT, "--url", url)
        assert served.stdout == oko(installed, tmp_path, "caption", photos.CAT).stdout
    finally:
        os.killpg(running.pid, signal.SIGINT)
        running.wait(60)
