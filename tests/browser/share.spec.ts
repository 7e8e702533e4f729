/** What can be taken away from the page. */
import { readFileSync } from "node:fs";
import { expect, test } from "./oko";
import { COFFEE } from "./photos";

test.beforeEach(async ({ oko, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await oko.open();
});

test("alt text and the tag with it", async ({ oko, page }) => {
  const { caption } = await oko.caption(COFFEE);
  const sentence = `${caption[0]!.toUpperCase()}${caption.slice(1)}.`;
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

  await oko.copyAlt.click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await clipboard()).toBe(sentence);
  await page.getByRole("button", { name: /Copy as <img/ }).click();
  await expect.poll(clipboard).toBe(`<img src="coffee.png" alt="${sentence}" lang="en">`);
});

test("the answer as JSON", async ({ oko, page }) => {
  const caption = await oko.caption(COFFEE);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download JSON" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("coffee.json");
  expect(JSON.parse(readFileSync(await file.path(), "utf8"))).toEqual(caption);
});

test("the annotated picture", async ({ oko, page }) => {
  const { words } = await oko.caption(COFFEE);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download picture" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("coffee.oko.png");
  const png = readFileSync(await file.path());
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect(png.readUInt32BE(16)).toBe(1600);
  expect(png.readUInt32BE(20)).toBeGreaterThan(1000 + Math.ceil(words.length / 4) * 200);
});

test("details say how long it took, from where, and with which models", async ({ oko, page }) => {
  const { request_id, models } = await oko.caption(COFFEE);
  await page.getByText("Details").click();
  const details = page.locator(".details");
  await expect(details).toContainText("600 × 400, PNG");
  await expect(details).toContainText(request_id);
  await expect(details).toContainText(models.encoder.replace("sha256:", "").slice(0, 12));
  await expect(page.getByRole("list", { name: "Services" })).toContainText("Encoder: fine");
});
