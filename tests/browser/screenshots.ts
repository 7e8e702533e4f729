/** Not a test: writes docs/screenshots/*.webp. With an answer of the models. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { BrowserContextOptions } from "@playwright/test";
import type { Word } from "../../web/src/api/types";
import { PYTHON, REPOSITORY } from "./browser";
import { expect, test, type OkoPage } from "./oko";
import { ASTRONAUT, CAT, COFFEE, MOTORCYCLE, ROCKET } from "./photos";

const FOLDER = `${REPOSITORY}docs/screenshots`;

interface Shot {
  readonly photos: readonly string[];
  readonly options: BrowserContextOptions;
}

const DESKTOP = { viewport: { width: 1440, height: 900 }, locale: "en-GB" };
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

const SHOTS: Readonly<Record<string, Shot>> = {
  welcome: { photos: [], options: DESKTOP },
  desktop: { photos: [MOTORCYCLE, ASTRONAUT, COFFEE], options: DESKTOP },
  dark: { photos: [ROCKET, CAT, MOTORCYCLE], options: { ...DESKTOP, colorScheme: "dark" } },
  ukrainian: { photos: [COFFEE, CAT, ASTRONAUT], options: { ...DESKTOP, locale: "uk-UA" } },
  mobile: { photos: [CAT], options: { ...PHONE, locale: "en-GB" } },
};

for (const [name, { photos, options }] of Object.entries(SHOTS))
  test.describe(name, () => {
    test.use(options);

    test("screenshot", async ({ oko, page }) => {
      await oko.open();
      await expect(page.locator(".services .ok")).toHaveCount(3);
      if (photos.length) {
        const answer = oko.answer();
        await oko.choose(...photos);
        const { words } = await answer;
        await expect(page.locator(".filmstrip li.done")).toHaveCount(photos.length);
        await oko.settled();
        await light(oko, words);
      }
      save(name, await page.screenshot());
    });
  });

/** Lights the word of content whose attention is gathered in the fewest places. */
async function light(oko: OkoPage, words: readonly Word[]): Promise<void> {
  const longest = Math.max(...words.map(({ text }) => text.length));
  const gathered = words.map(({ text, attention }) =>
    text.length < Math.min(5, longest)
      ? 0
      : attention.flat().reduce((sum, share) => sum + share * share, 0),
  );
  await oko.words.nth(gathered.indexOf(Math.max(...gathered))).click();
  await oko.page.mouse.move(1, 1);
  await expect(oko.light).toHaveCSS("opacity", "1");
}

/** As WebP: a tenth of the PNG's size. */
function save(name: string, png: Buffer): void {
  mkdirSync(FOLDER, { recursive: true });
  const raw = `${FOLDER}/${name}.png`;
  writeFileSync(raw, png);
  const convert =
    "import sys; from PIL import Image; " +
    "Image.open(sys.argv[1]).convert('RGB').save(sys.argv[2], quality=86, method=6)";
  execFileSync(PYTHON, ["-c", convert, raw, `${FOLDER}/${name}.webp`]);
  rmSync(raw);
}
