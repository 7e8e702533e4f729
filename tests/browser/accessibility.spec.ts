/** axe-core, the keyboard, and people who want things to stay still. */
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./oko";
import { CAT, COFFEE } from "./photos";

async function violations(page: Page): Promise<string[]> {
  await page.waitForTimeout(700); // colours that are on their way are not the ones that stay
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target}`));
}

for (const colorScheme of ["light", "dark"] as const)
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("no violation on the first screen", async ({ oko, page }) => {
      await oko.open();
      expect(await violations(page)).toEqual([]);
    });

    test("no violation with captions", async ({ oko, page }) => {
      await oko.open();
      await oko.choose(CAT, COFFEE);
      await oko.settled();
      await page.locator("summary").click();
      await oko.words.nth(1).click();
      expect(await violations(page)).toEqual([]);
    });

    test("no violation with an error", async ({ oko, page }) => {
      await oko.open();
      await page.route("**/v1/captions/stream*", (route) => route.abort());
      await oko.choose(CAT);
      await expect(oko.trouble).toBeVisible();
      expect(await violations(page)).toEqual([]);
    });
  });

test("everything works by keyboard alone", async ({ oko, page, isMobile }) => {
  test.skip(isMobile, "a phone has no keyboard");
  await oko.open();
  const tabTo = async (name: RegExp) => {
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press("Tab");
      const focused = page.locator(":focus");
      const label = (await focused.getAttribute("aria-label")) ?? (await focused.textContent());
      if (name.test(label ?? "")) return;
    }
    throw new Error(`Tab never reached ${name}`);
  };
  const chooser = page.waitForEvent("filechooser");
  await tabTo(/^Choose photos/);
  await page.keyboard.press("Enter");
  await (await chooser).setFiles(CAT);
  await oko.settled();

  const words = await oko.words.locator(".text").allTextContents();
  await tabTo(new RegExp(`^${words[0]}`));
  await expect(oko.light).toHaveAttribute("data-word", words[0]!);
  await page.keyboard.press("ArrowRight");
  await expect(oko.words.nth(1)).toBeFocused();
  await expect(oko.light).toHaveAttribute("data-word", words[1]!);
  await page.keyboard.press("End");
  await expect(oko.words.last()).toBeFocused();
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await expect(oko.words.first()).toHaveAttribute("aria-pressed", "true");
  await tabTo(/^Play/);
  await tabTo(/^Copy as alt text/);
});

test("a screen reader hears the caption once it is complete", async ({ oko, page }) => {
  await oko.open();
  const { caption } = await oko.caption(CAT);
  await expect(page.getByRole("status").filter({ hasText: caption })).toHaveText(
    `Caption: ${caption}`,
  );
  await expect(oko.photo).toHaveAttribute("alt", caption);
});

test("nothing moves for people who want it so", async ({ oko, page }) => {
  await oko.open();
  await oko.caption(CAT);
  await oko.words.first().click();
  const moving = await page.evaluate(
    () => document.getAnimations().filter(({ playState }) => playState === "running").length,
  );
  expect(moving).toBe(0);
  await expect(oko.light).toHaveCSS("opacity", "1");
});
