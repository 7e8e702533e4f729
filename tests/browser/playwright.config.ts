import { defineConfig } from "@playwright/test";
import { chromium, GATEWAY, services } from "./browser";

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.ts",
  outputDir: "results",
  timeout: 60_000,
  expect: { timeout: 30_000 },
  fullyParallel: false,
  workers: 1, // the budgets are of one person's browser on a machine that has other work
  forbidOnly: !!process.env["CI"],
  reporter: [["list"]],
  webServer: services,
  use: {
    baseURL: GATEWAY,
    browserName: "chromium",
    launchOptions: chromium,
    locale: "en-GB",
    // Words appear without pauses; the tests of the pauses turn them on.
    contextOptions: { reducedMotion: "reduce" },
  },
  projects: [
    { name: "desktop", use: { viewport: { width: 1440, height: 900 } } },
    {
      name: "mobile",
      testMatch: /(layout|words|accessibility)\.spec\.ts/,
      use: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
    },
  ],
});
