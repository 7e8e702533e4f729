import type { Problem } from "../api/problem";
import type { CacheState, Caption, CaptionEvent, Word } from "../api/types";

/** A photo that the person gave, and what Oko said about it in each language. */
export interface Photo {
  readonly id: string;
  readonly file: Blob;
  readonly name: string;
  /** Of the file in this browser, for showing it. */
  readonly url: string;
  /** By language code; a language that is not there has not been asked for. */
  readonly readings: Readonly<Record<string, Reading>>;
}

/** How far Oko is with one photo in one language. */
export interface Reading {
  readonly phase: "looking" | "speaking" | "done" | "busy" | "failed";
  readonly words: readonly Word[];
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly cache: CacheState | null;
  readonly caption: Caption | null;
  readonly problem: Problem | null;
  /** While busy: seconds until Oko is asked again. */
  readonly wait: number | null;
}

export const STARTED: Reading = {
  phase: "looking",
  words: [],
  size: null,
  cache: null,
  caption: null,
  problem: null,
  wait: null,
};

/** A reading after one more event of the stream. */
export function heard(reading: Reading, event: CaptionEvent): Reading {
  switch (event.name) {
    case "image": {
      const { width, height, cache } = event.data;
      return { ...reading, phase: "speaking", size: { width, height }, cache };
    }
    case "word":
      return { ...reading, phase: "speaking", words: [...reading.words, event.data] };
    case "caption":
      return {
        ...reading,
        phase: "done",
        words: event.data.words,
        size: event.data.image,
        cache: event.data.cache,
        caption: event.data,
      };
  }
}
