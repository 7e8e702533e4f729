/** Real photos, from the files that scikit-image's wheel carries. */
import { execFileSync } from "node:child_process";
import { PYTHON, REPOSITORY } from "./browser";

const folder = execFileSync(PYTHON, ["-c", "from tests import photos; print(photos.FOLDER)"], {
  cwd: REPOSITORY,
  encoding: "utf8",
}).trim();

export const ASTRONAUT = `${folder}/astronaut.png`;
export const CAT = `${folder}/chelsea.png`;
export const COFFEE = `${folder}/coffee.png`;
export const ROCKET = `${folder}/rocket.jpg`;
export const MOTORCYCLE = `${folder}/motorcycle_left.png`;

/** A photo of a kind that Chromium cannot show, written into `folder`. */
export function writeTiff(folder: string): string {
  const file = `${folder}/coffee.tiff`;
  const save = "import sys; from PIL import Image; Image.open(sys.argv[1]).save(sys.argv[2])";
  execFileSync(PYTHON, ["-c", save, COFFEE, file]);
  return file;
}
