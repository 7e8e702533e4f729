/** Words appear one by one, and each lights the photo where the model looked. */
import type { Attention, Word } from "../../web/src/api/types";
import { expect, test, type OkoPage } from "./oko";
import { ASTRONAUT, CAT } from "./photos";

test.beforeEach(async ({ oko }) => oko.open());

test.describe("with motion", () => {
  test.use({ contextOptions: { reducedMotion: "no-preference" } });

  test("words appear one after the other, each with its light", async ({ oko, page }) => {
    await page.evaluate(() => {
      const seen: { words: number; lit: string }[] = [];
      Object.assign(window, { seen });
      new MutationObserver(() => {
        const words = document.querySelectorAll(".word").length;
        const lit = document.querySelector<HTMLElement>("canvas.light")?.dataset["word"] ?? "";
        if (words && words !== seen.at(-1)?.words) seen.push({ words, lit });
      }).observe(document.body, { childList: true, subtree: true, attributes: true });
    });
    const { words } = await oko.caption(ASTRONAUT);

    const seen = await page.evaluate(
      () => (window as unknown as { seen: { words: number; lit: string }[] }).seen,
    );
    expect(seen.map((moment) => moment.words)).toEqual(words.map((_, index) => index + 1));
    expect(seen.map((moment) => moment.lit)).toEqual(words.map((word) => word.text));
  });
});

test("each word shows its probability", async ({ oko }) => {
  const { words } = await oko.caption(CAT);
  const shown = await oko.words.locator(".sure").allTextContents();
  expect(shown).toEqual(words.map(({ probability }) => percent(probability)));
});

test("pointing at a word changes the picture where its attention is highest", async ({
  oko,
  page,
  isMobile,
}) => {
  const { words } = await oko.caption(ASTRONAUT);
  const [one, other] = farApart(words);
  const show = async (index: number) => {
    const word = oko.words.nth(index);
    await (isMobile ? word.tap() : word.hover());
    await expect(oko.light).toHaveCSS("opacity", "1");
    await page.waitForTimeout(400); // the light glides
  };
  const place = placeOf(words[one]!.attention);
  const dark = await pixels(oko, place);
  await show(one);
  const lit = await pixels(oko, place);
  const openness = await veil(oko, place);
  await show(other);
  const moved = await pixels(oko, place);

  expect(lit).not.toEqual(dark);
  expect(moved).not.toEqual(lit);
  // Where the word looked most, the veil is more open than anywhere else it could be.
  expect(openness.here).toBeLessThan(openness.mean);
  expect(openness.here).toBeLessThanOrEqual(openness.least + 30);
});

test("arrow keys walk, Escape ends the walk", async ({ oko, page, isMobile }) => {
  test.skip(isMobile, "a phone has no arrow keys");
  const { words } = await oko.caption(CAT);
  await page.mouse.move(1, 1);
  await page.keyboard.press("ArrowRight");
  await expect(oko.light).toHaveAttribute("data-word", words[0]!.text);
  await page.keyboard.press("ArrowRight");
  await expect(oko.light).toHaveAttribute("data-word", words[1]!.text);
  await page.keyboard.press("ArrowLeft");
  await expect(oko.light).toHaveAttribute("data-word", words[0]!.text);
  await page.keyboard.press("Escape");
  await expect(oko.light).not.toHaveAttribute("data-word");
});

test("play walks through the words, pause stays", async ({ oko, page }) => {
  const { words } = await oko.caption(CAT);
  await page.getByRole("button", { name: "Play the words" }).click();
  await expect(oko.light).toHaveAttribute("data-word", words[0]!.text);
  await expect(oko.words.nth(2)).toHaveClass(/lit/);
  await page.getByRole("button", { name: "Pause" }).click();
  const stayed = await oko.light.getAttribute("data-word");
  await page.waitForTimeout(1200);
  expect(await oko.light.getAttribute("data-word")).toBe(stayed);
});

test("the slider sets how strong the light is", async ({ oko, page }) => {
  await oko.caption(CAT);
  await oko.words.first().click();
  await page.getByRole("slider", { name: "Light" }).fill("40");
  await expect(oko.light).toHaveCSS("opacity", "0.4");
});

test("alternatives are listed with their scores", async ({ oko, page }) => {
  const { alternatives } = await oko.caption(CAT);
  const rows = page.getByRole("region", { name: "It could also be" }).getByRole("listitem");
  await expect(rows).toHaveText(
    alternatives.map(({ caption, score }) => `${caption}${percent(score)}`),
  );
});

function percent(share: number): string {
  if (share < 0.01) return "<1%";
  return `${Math.round(Math.min(share, share < 1 ? 0.99 : 1) * 100)}%`;
}

interface Place {
  /** Shares of the photo's width and height. */
  readonly x: number;
  readonly y: number;
}

function cellOf(attention: Attention): { row: number; column: number } {
  const flat = attention.flat();
  const highest = flat.indexOf(Math.max(...flat));
  return { row: Math.floor(highest / 8), column: highest % 8 };
}

function placeOf(attention: Attention): Place {
  const { row, column } = cellOf(attention);
  return { x: (column + 0.5) / 8, y: (row + 0.5) / 8 };
}

/** Two words that differ most where the first one looked most. */
function farApart(words: readonly Word[]): [number, number] {
  const ranked = words.flatMap((one, index) => {
    const { row, column } = cellOf(one.attention);
    return words.map((other, second) => ({
      pair: [index, second] as [number, number],
      gap: one.attention[row]![column]! - other.attention[row]![column]!,
    }));
  });
  return ranked.sort((one, other) => other.gap - one.gap)[0]!.pair;
}

/** What can be seen around a place of the photo, as PNG. */
async function pixels({ page, photo }: OkoPage, { x, y }: Place): Promise<Buffer> {
  const box = (await photo.boundingBox())!;
  const centre = { x: box.x + x * box.width, y: box.y + y * box.height };
  return page.screenshot({ clip: { x: centre.x - 4, y: centre.y - 4, width: 8, height: 8 } });
}

/** Opacity of the drawn veil (0–255) at a place, on average and where it is least. */
function veil({ light }: OkoPage, place: Place) {
  return light.evaluate((canvas: HTMLCanvasElement, { x, y }) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
    const alpha = data.filter((_, index) => index % 4 === 3);
    const here = Math.floor(y * height) * width + Math.floor(x * width);
    return {
      here: alpha[here]!,
      mean: alpha.reduce((sum, value) => sum + value, 0) / alpha.length,
      least: Math.min(...alpha),
    };
  }, place);
}
