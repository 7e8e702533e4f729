import { describe, expect, test } from "vitest";
import { blend, enlarge, levelsOf } from "../src/stage/heatmap";

const lookingAt = (row: number, column: number) =>
  Array.from({ length: 8 }, (_, y) =>
    Array.from({ length: 8 }, (_, x) => (y === row && x === column ? 0.37 : 0.01)),
  );

describe("levels", () => {
  test("span 0 to 1", () => {
    const levels = levelsOf(lookingAt(2, 5));
    expect(Math.max(...levels)).toBe(1);
    expect(Math.min(...levels)).toBe(0);
    expect(levels.indexOf(1)).toBe(2 * 8 + 5);
  });

  test("of a flat map are all 0", () => {
    expect([...levelsOf(Array(8).fill(Array(8).fill(1 / 64)))].every((level) => level === 0)).toBe(
      true,
    );
  });

  test("blend from one word to the next", () => {
    const from = Float32Array.of(0, 1);
    const to = Float32Array.of(1, 0);
    expect([...blend(from, to, 0)]).toEqual([0, 1]);
    expect([...blend(from, to, 0.5)]).toEqual([0.5, 0.5]);
    expect([...blend(from, to, 1)]).toEqual([1, 0]);
  });
});

describe("enlarge", () => {
  test.each([
    [0, 0],
    [7, 7],
    [2, 5],
    [6, 1],
  ])("keeps the peak of cell %i, %i in its place", (row, column) => {
    const side = 64;
    const large = enlarge(levelsOf(lookingAt(row, column)), side);
    const highest = large.indexOf(Math.max(...large));
    expect(Math.floor(highest / side / 8)).toBe(row);
    expect(Math.floor((highest % side) / 8)).toBe(column);
    expect(Math.max(...large)).toBeCloseTo(1, 5);
    expect(Math.min(...large)).toBeGreaterThanOrEqual(0);
  });

  test("neither adds nor loses light on an even map", () => {
    const large = enlarge(new Float32Array(64).fill(0.6), 32);
    for (const value of large) expect(value).toBeCloseTo(0.6, 5);
  });
});
