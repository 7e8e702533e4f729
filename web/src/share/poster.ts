/** The annotated picture: the photo with its caption, and every word with its light. */
import type { Caption } from "../api/types";
import { percent } from "../language/numbers";
import { drawLight, levelsOf } from "../stage/heatmap";
import { altText } from "./text";

const WIDTH = 1600;
const MARGIN = 64;
const GAP = 28;
const LARGEST_PHOTO_HEIGHT = 1200;
const TEXT_FONT = '500 %px "Lora", Georgia, serif';
const SMALL_FONT = '500 %px "Manrope Variable", system-ui, sans-serif';
const PAPER = "#faf7f1";
const INK = "#211d19";
const QUIET = "#6b6259";

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Draws the picture as PNG.
 *
 * @param url of the photo in this browser
 * @param strength of the light, 0–100
 */
export async function poster(
  url: string,
  caption: Caption,
  strength: number,
  locale: string,
): Promise<Blob> {
  const photo = new Image();
  photo.src = url;
  await photo.decode();
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");

  const inner = WIDTH - 2 * MARGIN;
  const ratio = photo.naturalWidth / photo.naturalHeight;
  const height = Math.min(inner / ratio, LARGEST_PHOTO_HEIGHT);
  const main = { x: (WIDTH - height * ratio) / 2, y: MARGIN, width: height * ratio, height };

  const sentence = altText(caption.caption, caption.language);
  context.font = font(TEXT_FONT, 56);
  const lines = wrapped(context, sentence, inner);
  const textTop = main.y + main.height + 96;
  const gridTop = textTop + (lines.length - 1) * 74 + 64;
  const tiles = tileBoxes(caption.words.length, ratio, gridTop);
  const last = tiles.at(-1);

  canvas.width = WIDTH;
  canvas.height = Math.round((last ? last.y + last.height + 56 : gridTop) + MARGIN);
  context.fillStyle = PAPER;
  context.fillRect(0, 0, canvas.width, canvas.height);
  drawRounded(context, main, 20, () => drawIn(context, photo, main));
  context.fillStyle = INK;
  context.font = font(TEXT_FONT, 56);
  context.textAlign = "center";
  lines.forEach((line, index) => context.fillText(line, WIDTH / 2, textTop + index * 74));

  const light = document.createElement("canvas");
  caption.words.forEach((word, index) => {
    const box = tiles[index]!;
    drawLight(light, levelsOf(word.attention));
    drawRounded(context, box, 12, () => {
      drawIn(context, photo, box);
      context.globalAlpha = strength / 100;
      drawIn(context, light, box);
    });
    label(context, word.text, percent(word.probability, locale), box);
  });

  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no PNG"))), "image/png"),
  );
}

/** Rows of equal tiles, each with room for its word below; the last row is centred too. */
function tileBoxes(count: number, ratio: number, top: number): Box[] {
  const columns = Math.min(count, ratio > 1.2 ? 4 : 5);
  const width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns;
  const height = width / Math.max(ratio, 0.5);
  const shown = height * ratio; // narrower than the column for very tall photos
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = (WIDTH - inRow * width - (inRow - 1) * GAP) / 2;
    return {
      x: left + (index % columns) * (width + GAP) + (width - shown) / 2,
      y: top + row * (height + 84),
      width: shown,
      height,
    };
  });
}

function label(context: CanvasRenderingContext2D, text: string, sure: string, box: Box): void {
  const y = box.y + box.height + 42;
  context.textAlign = "left";
  context.fillStyle = INK;
  context.font = font(TEXT_FONT, 32);
  context.fillText(text, box.x + 2, y, box.width - 76);
  context.textAlign = "right";
  context.fillStyle = QUIET;
  context.font = font(SMALL_FONT, 22);
  context.fillText(sure, box.x + box.width - 2, y);
}

function drawRounded(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Box,
  radius: number,
  draw: () => void,
): void {
  context.save();
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.clip();
  draw();
  context.restore();
}

function drawIn(context: CanvasRenderingContext2D, source: CanvasImageSource, box: Box): void {
  context.imageSmoothingQuality = "high";
  context.drawImage(source, box.x, box.y, box.width, box.height);
}

function wrapped(context: CanvasRenderingContext2D, text: string, width: number): string[] {
  return text.split(" ").reduce<string[]>((lines, word) => {
    const line = `${lines.at(-1) ?? ""} ${word}`.trim();
    if (lines.length && context.measureText(line).width <= width) return [...lines.slice(0, -1), line];
    return [...lines, word];
  }, []);
}

function font(pattern: string, size: number): string {
  return pattern.replace("%", String(size));
}
