import { defineConfig } from "@playwright/test";
import { chromium, GATEWAY, services } from "./browser";

/** `make screenshots`: pictures of the page for the README, of real answers. */
export default defineConfig({
  testDir: ".",
  testMatch: "screenshots.ts",
  outputDir: "results",
  timeout: 120_000,
  expect: { timeout: 60_000 },
  workers: 1,
  reporter: [["list"]],
  webServer: services,
  use: {
    baseURL: GATEWAY,
    browserName: "chromium",
    launchOptions: chromium,
    contextOptions: { reducedMotion: "reduce" },
  },
});
