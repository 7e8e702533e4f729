/** Every error reads as a sentence that helps, in the page's language. */
import { PROBLEM_CODES, TEXTS } from "../../web/src/language/texts";
import { expect, test } from "./oko";
import { CAT } from "./photos";

const NOT_A_PHOTO = { name: "photo.png", mimeType: "image/png", buffer: Buffer.from("not a photo") };

test("a file that is no photo", async ({ oko, page }) => {
  await oko.open();
  await page.locator("input[type=file]").first().setInputFiles(NOT_A_PHOTO);
  await expect(oko.trouble).toContainText("This file is not a photo that Oko can read.");
  await page.getByRole("radio", { name: "Українська" }).first().check({ force: true });
  await expect(oko.trouble).toContainText("Цей файл — не фото, яке Око вміє читати.");
});

test("a server that cannot be reached, and comes back", async ({ oko, page }) => {
  await oko.open();
  await page.route("**/v1/captions/stream*", (route) => route.abort());
  await oko.choose(CAT);
  await expect(oko.trouble).toContainText("Oko cannot be reached.");
  await page.unroute("**/v1/captions/stream*");
  await page.getByRole("button", { name: "Try again" }).click();
  await oko.settled();
});

test("a busy server is asked again", async ({ oko, page }) => {
  await oko.open();
  let refused = 0;
  await page.route("**/v1/captions/stream*", (route) =>
    refused++
      ? route.continue()
      : route.fulfill({
          status: 503,
          headers: { "Retry-After": "1" },
          contentType: "application/problem+json",
          json: { code: "overloaded", status: 503, detail: "" },
        }),
  );
  await oko.choose(CAT);
  await expect(page.locator(".progress")).toContainText("Oko is busy; trying again in 1 s");
  await oko.settled();
});

test("a server with keys asks for one", async ({ oko, page }) => {
  await oko.open();
  await page.route("**/v1/captions/stream*", (route) =>
    route.request().headers()["authorization"] === "Bearer open-sesame"
      ? route.continue()
      : route.fulfill({
          status: 401,
          contentType: "application/problem+json",
          json: { code: "unauthorized", status: 401, detail: "" },
        }),
  );
  await oko.choose(CAT);
  await page.getByLabel("API key").fill("open-sesame");
  await page.getByRole("button", { name: "Use this key" }).click();
  await oko.settled();
});

test("an answer that breaks off", async ({ oko, page }) => {
  await oko.open();
  await page.route("**/v1/captions/stream*", (route) =>
    route.fulfill({
      status: 200,
      contentType: "text/event-stream",
      body: 'event: image\ndata: {"width":4,"height":3,"digest":"","kind":"png","cache":"hit"}\n\n',
    }),
  );
  await oko.choose(CAT);
  await expect(oko.trouble).toContainText("The answer broke off half-way.");
});

test("every code of the API has its sentence in both languages", async ({ request }) => {
  const document = await (await request.get("/openapi.json")).text();
  const codes = [...document.matchAll(/"code":\{[^{}]*"enum":\[([^\]]*)\]/g)].flatMap(
    ([, list]) => JSON.parse(`[${list}]`) as string[],
  );
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !(PROBLEM_CODES as readonly string[]).includes(code))).toEqual([]);
  for (const texts of Object.values(TEXTS))
    for (const code of PROBLEM_CODES) expect(texts.problems[code]({})).toMatch(/\.$/);
});
