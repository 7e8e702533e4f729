/** What the gateway answers, as far as the page reads it. */

/** 8 rows of 8 numbers that sum to 1, over the photo as shown. */
export type Attention = readonly (readonly number[])[];

export interface Word {
  readonly text: string;
  /** In (0, 1]. */
  readonly probability: number;
  readonly attention: Attention;
}

export interface Alternative {
  readonly caption: string;
  readonly score: number;
}

export type CacheState = "hit" | "miss" | "bypass";

export interface ImageFacts {
  /** Pixels as shown, after EXIF orientation. */
  readonly width: number;
  readonly height: number;
  readonly digest: string;
  readonly kind: string;
}

export interface Caption {
  readonly caption: string;
  readonly language: string;
  readonly score: number;
  readonly words: readonly Word[];
  readonly alternatives: readonly Alternative[];
  readonly image: ImageFacts;
  readonly models: { readonly encoder: string; readonly decoder: string };
  readonly cache: CacheState;
  readonly timings_ms: { readonly encoder: number; readonly decoder: number; readonly total: number };
  readonly status: "ok" | "degraded";
  readonly request_id: string;
}

export interface Language {
  readonly code: string;
  /** In the language itself. */
  readonly name: string;
}

export type State = "ok" | "degraded" | "down";

export interface Health {
  readonly status: State;
  readonly parts: Readonly<Record<string, State>>;
}

/** Events of `/v1/captions/stream`, in the order in which they come. */
export type CaptionEvent =
  | { readonly name: "image"; readonly data: ImageFacts & { readonly cache: CacheState } }
  | { readonly name: "word"; readonly data: Word & { readonly index: number } }
  | { readonly name: "caption"; readonly data: Caption };
