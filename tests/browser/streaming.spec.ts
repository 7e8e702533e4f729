/** Words leave the decoder while it still works, and a closed tab gives its place back. */
import { readFileSync } from "node:fs";
import { DECODER, GATEWAY } from "./browser";
import { expect, test } from "./oko";
import { COFFEE } from "./photos";

test("the first word arrives before the last is decoded", async () => {
  const form = new FormData();
  form.set("image", new Blob([readFileSync(COFFEE), `never seen ${Math.random()}`]));
  const ask = (search: string) =>
    fetch(`${GATEWAY}/v1/captions/stream?${search}`, { method: "POST", body: form });
  // Captions alone take a few milliseconds; steps shared with wide beams are slow enough to watch.
  // No two ask for the same, or the second would come from the cache.
  let watched = false;
  let asked = 0;
  const company = Array.from({ length: 12 }, async () => {
    while (!watched) {
      asked += 1;
      const search = `beam_size=10&n_best=${1 + (asked % 10)}&max_words=${15 + (asked % 26)}`;
      await (await ask(search)).text();
    }
  });
  // A busy machine may hold words back that were sent in time, so once is enough.
  let tried = 0;
  try {
    await expect(async () => {
      // A beam of one never waits for others to agree: each word is sent as it is decoded.
      await expectWordsApart(await ask(`beam_size=1&max_words=${40 - tried++}`));
    }).toPass({ timeout: 20_000, intervals: [0] });
  } finally {
    watched = true;
    await Promise.all(company);
  }
});

async function expectWordsApart(response: Response): Promise<void> {
  const arrivals: { name: string; at: number; data: string }[] = [];
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of response.body!) {
    const at = performance.now();
    const events = (rest + decoder.decode(piece, { stream: true })).split("\n\n");
    rest = events.pop()!;
    for (const event of events) {
      const [name, data] = event.split("\n");
      arrivals.push({ name: name!, at, data: data! });
    }
  }
  const words = arrivals.filter(({ name }) => name === "event: word");
  const caption = arrivals.at(-1)!;
  const decoded = JSON.parse(caption.data.replace("data: ", "")).timings_ms.decoder as number;
  const span = words.at(-1)!.at - words[0]!.at;
  const moments = new Set(words.map(({ at }) => at)).size;
  console.log(
    `${words.length} words at ${moments} moments over ${span.toFixed(0)} ms; ` +
      `decoding took ${decoded.toFixed(0)} ms`,
  );
  expect(words.length).toBeGreaterThan(3);
  expect(moments).toBeGreaterThan(words.length / 2);
  // Had the words been sent after decoding, they would have come within a small part of its time.
  expect(span).toBeGreaterThan(decoded / 3);
}

test("a closed tab frees its decoder slots", async ({ browser, baseURL }) => {
  const STREAMS = 40;
  const before = await decoderMetrics();
  const context = await browser.newContext({ baseURL: baseURL! });
  const page = await context.newPage();
  await page.goto("/");
  await page.evaluate(
    async ([photo, streams]) => {
      const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
      const ask = async () => {
        const form = new FormData();
        form.set("image", new Blob([bytes]));
        const address = "/v1/captions/stream?beam_size=10&max_words=40";
        const { body } = await fetch(address, { method: "POST", body: form });
        await body!.getReader().read(); // the features are there, decoding has begun
      };
      const asked = Array.from({ length: streams }, ask);
      await Promise.race(asked);
    },
    [readFileSync(COFFEE).toString("base64"), STREAMS] as const,
  );
  await context.close();

  await expect.poll(async () => (await decoderMetrics()).inFlight, { timeout: 10_000 }).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const after = await decoderMetrics();
  console.log(`${STREAMS} streams begun, ${after.captions - before.captions} decoded to the end`);
  expect(after.inFlight).toBe(0);
  expect(after.captions - before.captions).toBeLessThan(STREAMS / 2);
});

async function decoderMetrics(): Promise<{ inFlight: number; captions: number }> {
  const text = await (await fetch(`${DECODER}/metrics`)).text();
  const sum = (name: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
  // This very question is one request that is being answered.
  return {
    inFlight: sum("oko_requests_in_flight") - 1,
    captions: sum("oko_captions_total"),
  };
}
