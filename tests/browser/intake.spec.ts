/** Photos come in by picker, drop, clipboard and camera. */
import { mkdirSync, readFileSync } from "node:fs";
import { expect, test } from "./oko";
import { ASTRONAUT, CAT, COFFEE, ROCKET, writeTiff } from "./photos";

test.beforeEach(async ({ oko }) => oko.open());

test("the picker", async ({ oko, page }) => {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose photos" }).click();
  const answer = oko.answer();
  await (await chooser).setFiles(CAT);
  const { caption } = await answer;

  await oko.settled();
  expect(await oko.text()).toBe(caption);
});

test("a drop of real files", async ({ oko, page }) => {
  const devtools = await page.context().newCDPSession(page);
  const drag = (type: "dragEnter" | "dragOver" | "drop") =>
    devtools.send("Input.dispatchDragEvent", {
      type,
      x: 400,
      y: 400,
      data: { items: [], files: [ROCKET], dragOperationsMask: 1 },
    });
  await drag("dragEnter");
  await drag("dragOver");
  await expect(page.getByText("Let go, and Oko looks")).toBeVisible();
  await drag("drop");

  await oko.settled();
  await expect(page.getByText("Let go, and Oko looks")).toBeHidden();
  await expect(page.locator(".frame img")).toHaveCount(1);
});

test("a picture on the clipboard", async ({ oko, page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const png = readFileSync(CAT).toString("base64");
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const picture = new Blob([bytes], { type: "image/png" });
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
  }, png);
  await page.keyboard.press("Control+V");

  await oko.settled();
  await expect(oko.words.first()).toBeVisible();
});

test("the camera", async ({ oko, page, context }) => {
  await context.grantPermissions(["camera"]);
  await page.getByRole("button", { name: "Take a photo" }).click();
  await page.getByRole("button", { name: "Take the photo" }).click();

  await oko.settled();
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("an example", async ({ oko, page }) => {
  await page.getByRole("button", { name: "A rocket" }).click();
  await oko.settled();
});

test("several photos become a queue", async ({ oko, page }) => {
  await oko.choose(CAT, COFFEE, ASTRONAUT);
  const frames = page.getByRole("list", { name: "Photos" }).locator("button.frame:has(img)");
  await expect(frames).toHaveCount(3);
  await expect(page.locator(".filmstrip li.done")).toHaveCount(3);

  const first = await oko.text();
  await frames.nth(2).click();
  await expect(frames.nth(2)).toHaveAttribute("aria-current", "true");
  await expect.poll(() => oko.text()).not.toBe(first);

  await page.getByRole("button", { name: "Remove astronaut.png" }).click();
  await expect(frames).toHaveCount(2);
  await expect(frames.nth(1)).toHaveAttribute("aria-current", "true");
});

test("a kind of photo that the browser cannot show still gets its caption", async ({
  oko,
  page,
}, { outputDir }) => {
  mkdirSync(outputDir, { recursive: true });
  await oko.choose(writeTiff(outputDir));
  await expect(page.getByText("This browser cannot show this kind of file")).toBeVisible();
  await oko.settled();
});

test("files that are no photos are left out with a word", async ({ page }) => {
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["hello"], "notes.txt", { type: "text/plain" }));
    dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
  });
  await expect(page.getByText("notes.txt is not a photo, so Oko left it out.")).toBeVisible();
});
