/** From a small phone to 4K: nothing overflows, and photos keep their shape. */
import { expect, test } from "./oko";
import { ASTRONAUT, CAT, MOTORCYCLE } from "./photos";

const SIZES = [
  { width: 320, height: 640 },
  { width: 360, height: 740 },
  { width: 768, height: 1024 },
  { width: 1440, height: 900 },
  { width: 3840, height: 2160 },
];

const RATIOS: Record<string, number> = { [ASTRONAUT]: 1, [CAT]: 451 / 300, [MOTORCYCLE]: 741 / 500 };

for (const size of SIZES)
  test(`${size.width} × ${size.height}`, async ({ oko, page }) => {
    await page.setViewportSize(size);
    await oko.open();
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    for (const [photo, ratio] of Object.entries(RATIOS)) {
      await page.getByRole("button", { name: /^Oko/ }).click();
      await oko.caption(photo);
      const box = (await oko.photo.boundingBox())!;
      expect(Math.abs(box.width / box.height / ratio - 1)).toBeLessThan(0.02);
      expect(await oko.light.boundingBox()).toEqual(box);
      expect(box.height).toBeLessThanOrEqual(size.height);
      expect(await overflow()).toBeLessThanOrEqual(0);
    }
  });

test("on a phone the photo stays in view while words are tapped", async ({ oko, isMobile }) => {
  test.skip(!isMobile, "everything is in view at once");
  await oko.open();
  await oko.caption(CAT);
  await oko.words.last().tap();
  await expect(oko.light).toHaveCSS("opacity", "1");
  await expect(oko.photo).toBeInViewport({ ratio: 0.9 });
});
