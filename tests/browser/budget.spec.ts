/** Small, fast, and talking to nobody else. */
import { expect, test } from "./oko";
import { CAT } from "./photos";

const LARGEST_BYTES = 200_000;
const LONGEST_MS = 1000;

test("the first screen is small and soon interactive", async ({ browser, baseURL }) => {
  const times: number[] = [];
  let bytes = 0;
  for (let visit = 0; visit < 3; visit++) {
    const context = await browser.newContext({ baseURL: baseURL!, locale: "en-GB" }); // no cache
    const page = await context.newPage();
    await page.addInitScript(() => {
      // The first frame in which the page can be used: its main button is there and painted.
      const look = () => {
        if (document.querySelector("main button")) performance.mark("interactive");
        else requestAnimationFrame(look);
      };
      look();
    });
    await page.goto("/", { waitUntil: "networkidle" });
    const measured = await page.evaluate(() => ({
      at: performance.getEntriesByName("interactive")[0]!.startTime,
      bytes: [
        ...performance.getEntriesByType("navigation"),
        ...performance.getEntriesByType("resource"),
      ].reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).transferSize, 0),
    }));
    times.push(measured.at);
    bytes = measured.bytes;
    await context.close();
  }
  const best = Math.min(...times);
  console.log(`first screen: ${bytes} bytes, interactive after ${best.toFixed(0)} ms`);
  expect(bytes).toBeGreaterThan(50_000);
  expect(bytes).toBeLessThan(LARGEST_BYTES);
  expect(best).toBeLessThan(LONGEST_MS);
});

test("no call leaves the server, and the policy is strict", async ({ oko, page, baseURL }) => {
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(baseURL!) && !/^(blob|data):/.test(address)) elsewhere.push(address);
  });
  const response = await page.goto("/");
  const policy = response!.headers()["content-security-policy"]!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  await oko.caption(CAT);
  expect(elsewhere).toEqual([]);
});

test("files with a hash are kept for ever, the page is asked for anew", async ({ request }) => {
  const page = await request.get("/");
  expect(page.headers()["cache-control"]).toBe("no-cache");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text())![1]!;
  const asset = await request.get(script);
  expect(asset.headers()["cache-control"]).toContain("immutable");
  expect(asset.headers()["content-encoding"]).toBe("gzip");
  const again = await request.get(script, { headers: { "If-None-Match": asset.headers()["etag"]! } });
  expect(again.status()).toBe(304);
  expect((await request.get("/assets/../settings.py")).status()).toBe(404);
  expect((await request.get("/nothing-here")).headers()["content-type"]).toContain("problem+json");
});
