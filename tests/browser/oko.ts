/** The page as the tests see it. Every test fails on a script error or a breach of the policy. */
import { expect, test as base, type Locator, type Page } from "@playwright/test";
import type { Caption } from "../../web/src/api/types";

declare global {
  interface Window {
    /** Bodies of the caption streams that have ended, in order. */
    answers: string[];
  }
}

/** DevTools keep no bodies of streams, so the page itself keeps a copy. */
function keepAnswers(): void {
  const { fetch } = window;
  window.answers = [];
  window.fetch = async (...request) => {
    const response = await fetch(...request);
    if (response.url.includes("/v1/captions/stream"))
      void response
        .clone()
        .text()
        .then((text) => window.answers.push(text));
    return response;
  };
}

export class OkoPage {
  readonly words: Locator;
  readonly light: Locator;
  readonly photo: Locator;
  readonly trouble: Locator;
  readonly copyAlt: Locator;

  constructor(readonly page: Page) {
    this.words = page.locator(".word");
    this.light = page.locator("canvas.light");
    this.photo = page.locator(".stage img");
    this.trouble = page.getByRole("alert");
    this.copyAlt = page.getByRole("button", { name: /Copy as alt text|Копіювати як alt/ });
  }

  async open(): Promise<void> {
    await this.page.goto("/");
    await expect(this.page.getByRole("heading", { level: 1 })).toBeVisible();
  }

  async choose(...files: string[]): Promise<void> {
    await this.page.locator("input[type=file]").first().setInputFiles(files);
  }

  /** Until every word has appeared and the light of the last one is out. */
  async settled(): Promise<void> {
    await expect(this.copyAlt).toBeVisible();
    await expect(this.light).toHaveCSS("opacity", "0");
  }

  /** Chooses a photo and waits for its caption; what the API answered. */
  async caption(file: string): Promise<Caption> {
    const answer = this.answer();
    await this.choose(file);
    const caption = await answer;
    await this.settled();
    return caption;
  }

  /** The caption of the next answer. */
  async answer(): Promise<Caption> {
    const known = await this.page.evaluate(() => window.answers.length);
    await this.page.waitForFunction((count) => window.answers.length > count, known);
    const text = await this.page.evaluate((index) => window.answers[index]!, known);
    const [name, data] = text.trim().split("\n\n").at(-1)!.split("\n");
    expect(name).toBe("event: caption");
    return JSON.parse(data!.replace("data: ", "")) as Caption;
  }

  /** The words that can be read on the page, in order. */
  async text(): Promise<string> {
    return (await this.words.locator(".text").allTextContents()).join(" ");
  }
}

export const test = base.extend<{ oko: OkoPage; complaints: string[] }>({
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("console", (message) => {
        // Chromium reports every answer of 400 and above here; those are asked for by tests.
        const expected = message.text().startsWith("Failed to load resource");
        if (message.type() === "error" && !expected) complaints.push(message.text());
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
  oko: async ({ page }, use) => {
    await page.addInitScript(keepAnswers);
    await use(new OkoPage(page));
  },
});

export { expect };
