"""Real photos, from the files that scikit-image's wheel carries (no network)."""

from importlib.resources import files
from pathlib import Path

FOLDER = Path(str(files("skimage") / "data"))

ASTRONAUT = FOLDER / "astronaut.png"
CAT = FOLDER / "chelsea.png"
COFFEE = FOLDER / "coffee.png"
ROCKET = FOLDER / "rocket.jpg"
MOTORCYCLE = FOLDER / "motorcycle_left.png"
ALL = (ASTRONAUT, CAT, COFFEE, ROCKET, MOTORCYCLE)
