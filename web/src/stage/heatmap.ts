/**
 * From 8×8 attention to light on a photo: a dark veil that opens, warm, where the model looked.
 */
import type { Attention } from "../api/types";

/** Pixels of a drawn light, per side; the browser stretches it over the photo. */
export const SIDE = 128;

/** A word's attention between 0 (least looked at) and 1 (most), row by row. */
export type Levels = Float32Array<ArrayBuffer>;

/**
 * Stretches a map over its own range: a word's most and least important places are told apart
 * even when all of them matter nearly alike.
 */
export function levelsOf(attention: Attention): Levels {
  const values = attention.flat();
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  return Float32Array.from(values, (value) => (range > 1e-9 ? (value - low) / range : 0));
}

/** `from` on its way to `to`; `progress` between 0 and 1. */
export function blend(from: Levels, to: Levels, progress: number): Levels {
  return to.map((value, cell) => (from[cell] ?? 0) * (1 - progress) + value * progress);
}

/**
 * Enlarges a square grid with cubic B-splines, which never ring, and gives it back its peak of 1.
 *
 * @param levels [cells × cells], row by row
 * @returns [side × side], row by row
 */
export function enlarge(levels: Levels, side: number = SIDE): Float32Array {
  const cells = Math.round(Math.sqrt(levels.length));
  const weights = splineWeights(cells, side);
  const rows = new Float32Array(side * cells); // [side, cells]: enlarged downwards
  for (let y = 0; y < side; y++)
    for (let row = 0; row < cells; row++) {
      const weight = weights[y * cells + row]!;
      if (weight === 0) continue;
      for (let x = 0; x < cells; x++) rows[y * cells + x]! += weight * levels[row * cells + x]!;
    }
  const out = new Float32Array(side * side);
  let highest = 0;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let sum = 0;
      for (let column = 0; column < cells; column++)
        sum += weights[x * cells + column]! * rows[y * cells + column]!;
      out[y * side + x] = sum;
      highest = Math.max(highest, sum);
    }
  const peak = Math.max(...levels);
  if (highest > 0) for (let i = 0; i < out.length; i++) out[i]! *= peak / highest;
  return out;
}

const cachedWeights = new Map<string, Float32Array>();

/** How much each cell counts at each pixel: [side, cells]; the grid's edges go on outwards. */
function splineWeights(cells: number, side: number): Float32Array {
  const key = `${cells}/${side}`;
  let weights = cachedWeights.get(key);
  if (weights) return weights;
  weights = new Float32Array(side * cells);
  for (let pixel = 0; pixel < side; pixel++) {
    const place = ((pixel + 0.5) / side) * cells - 0.5; // in cells, between their centres
    const first = Math.floor(place);
    const t = place - first;
    const basis = [
      (1 - t) ** 3 / 6,
      (3 * t ** 3 - 6 * t ** 2 + 4) / 6,
      (-3 * t ** 3 + 3 * t ** 2 + 3 * t + 1) / 6,
      t ** 3 / 6,
    ];
    basis.forEach((weight, offset) => {
      const cell = Math.min(cells - 1, Math.max(0, first - 1 + offset));
      weights![pixel * cells + cell]! += weight;
    });
  }
  cachedWeights.set(key, weights);
  return weights;
}

const VEIL = [16, 13, 20] as const;
const GLOW = [255, 186, 84] as const;
const VEIL_ALPHA = 0.8;
const GLOW_ALPHA = 0.25;

/** RGBA for each of 256 levels. */
const PALETTE = (() => {
  const palette = new Uint8ClampedArray(256 * 4);
  for (let level = 0; level < 256; level++) {
    const share = level / 255;
    const open = share * share * (3 - 2 * share); // smoothstep: calm at both ends
    const veil = VEIL_ALPHA * (1 - open) ** 1.25;
    const glow = GLOW_ALPHA * open;
    const alpha = veil + glow - veil * glow;
    for (let channel = 0; channel < 3; channel++) {
      const mixed = (GLOW[channel]! * glow * (1 - veil) + VEIL[channel]! * veil) / alpha;
      palette[level * 4 + channel] = mixed;
    }
    palette[level * 4 + 3] = alpha * 255;
  }
  return palette;
})();

/** Draws a word's light into a SIDE×SIDE canvas. */
export function drawLight(canvas: HTMLCanvasElement, levels: Levels): void {
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext("2d");
  if (!context) return;
  const values = enlarge(levels);
  const picture = context.createImageData(SIDE, SIDE);
  values.forEach((value, pixel) => {
    const level = Math.round(Math.min(1, Math.max(0, value)) * 255) * 4;
    picture.data.set(PALETTE.subarray(level, level + 4), pixel * 4);
  });
  context.putImageData(picture, 0, 0);
}
