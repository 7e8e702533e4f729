import { describe, expect, test } from "vitest";
import { Problem } from "../src/api/problem";
import type { Caption } from "../src/api/types";
import { galleryReducer, nextJob, type Action, type Gallery } from "../src/gallery/gallery";
import type { Photo } from "../src/gallery/photo";

const photo = (id: string): Photo => ({
  id,
  file: new Blob(),
  name: `${id}.jpg`,
  url: `blob:${id}`,
  readings: {},
});

const EMPTY: Gallery = { photos: [], selected: null, language: "en" };

const after = (...actions: Action[]) => actions.reduce(galleryReducer, EMPTY);
const ADD: Action = { type: "add", photos: [photo("a"), photo("b"), photo("c")] };
const JOB = { photo: "a", language: "en" };
const BUSY = new Problem("overloaded", 503, "");

describe("the gallery", () => {
  test("selects the first of the photos that come", () => {
    expect(after(ADD).selected).toBe("a");
    expect(after(ADD, { type: "add", photos: [photo("d")] }).selected).toBe("d");
  });

  test("asks for the photo that is looked at, then for the others in order", () => {
    expect(nextJob(after(ADD, { type: "select", photo: "b" }))).toEqual({ ...JOB, photo: "b" });
    expect(nextJob(after(ADD, { type: "start", job: JOB }))).toEqual({ ...JOB, photo: "b" });
    expect(nextJob(EMPTY)).toBeNull();
  });

  test("asks again in another language, and keeps what was said in the first", () => {
    const spoken = after(ADD, { type: "start", job: JOB }, { type: "speak", language: "uk" });
    expect(nextJob(spoken)).toEqual({ photo: "a", language: "uk" });
    expect(spoken.photos[0]!.readings["en"]!.phase).toBe("looking");
  });

  test("removing the photo that is looked at goes to its neighbour", () => {
    expect(after(ADD, { type: "remove", photo: "a" }).selected).toBe("b");
    expect(after(ADD, { type: "select", photo: "c" }, { type: "remove", photo: "c" }).selected).toBe(
      "b",
    );
    expect(after({ type: "add", photos: [photo("a")] }, { type: "remove", photo: "a" })).toEqual(
      EMPTY,
    );
  });

  test("hears words, then the caption", () => {
    const word = { text: "dog", probability: 0.5, attention: [] };
    const heard = after(
      ADD,
      { type: "start", job: JOB },
      { type: "hear", job: JOB, event: { name: "word", data: { index: 0, ...word } } },
    );
    expect(heard.photos[0]!.readings["en"]).toMatchObject({ phase: "speaking", words: [word] });
    const caption = { words: [word], image: { width: 4, height: 3 }, cache: "hit" };
    const event = { name: "caption" as const, data: caption as unknown as Caption };
    const done = galleryReducer(heard, { type: "hear", job: JOB, event });
    expect(done.photos[0]!.readings["en"]).toMatchObject({ phase: "done", caption });
  });

  test("a failure waits for the person, a busy server only for its time", () => {
    const fail = (wait: number | null): Action => ({ type: "fail", job: JOB, problem: BUSY, wait });
    expect(after(ADD, fail(2)).photos[0]!.readings["en"]!.phase).toBe("busy");
    const failed = after(ADD, fail(null));
    expect(failed.photos[0]!.readings["en"]!.phase).toBe("failed");
    expect(nextJob(failed)!.photo).toBe("b");
    expect(nextJob(galleryReducer(failed, { type: "retry" }))!.photo).toBe("a");
  });
});
