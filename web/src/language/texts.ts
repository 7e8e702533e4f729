import { en } from "./en";
import { uk } from "./uk";

/** Everything the page says. A language of the page is one object of this shape. */
export interface Texts {
  readonly name: string;
  readonly brand: string;
  readonly title: string;
  readonly lead: string;
  readonly dropHere: string;
  readonly choose: string;
  readonly camera: string;
  readonly pasteHint: string;
  readonly privacy: string;
  readonly examples: string;
  readonly exampleNames: Readonly<Record<ExampleName, string>>;
  readonly dropAnywhere: string;
  readonly notPhotos: (names: readonly string[]) => string;

  readonly pageLanguage: string;
  readonly captionLanguage: string;
  readonly captionIn: string;
  readonly skip: string;
  readonly api: string;
  readonly home: string;

  readonly photos: string;
  readonly addPhotos: string;
  readonly removePhoto: (name: string) => string;
  readonly photoNumber: (index: number, count: number, name: string) => string;
  readonly pasted: string;
  readonly taken: string;
  readonly photoWaits: string;
  readonly photoFailed: string;
  readonly cannotShow: string;

  readonly looking: string;
  readonly waiting: string;
  readonly busy: (seconds: number) => string;
  readonly announce: (caption: string) => string;
  readonly announceWord: (word: string, percent: string) => string;
  readonly walkHint: string;
  readonly walkHintTouch: string;
  readonly words: string;
  readonly play: string;
  readonly pause: string;
  readonly light: string;

  readonly alternatives: string;
  readonly score: (percent: string) => string;

  readonly share: string;
  readonly copyAlt: string;
  readonly copyHtml: string;
  readonly downloadJson: string;
  readonly downloadPicture: string;
  readonly copied: string;
  readonly saved: string;
  readonly copyFailed: string;
  readonly pictureFailed: string;

  readonly details: string;
  readonly tookEncoder: string;
  readonly tookDecoder: string;
  readonly tookTotal: string;
  readonly cache: string;
  readonly cacheStates: Readonly<Record<"hit" | "miss" | "bypass", string>>;
  readonly picture: string;
  readonly models: string;
  readonly request: string;
  readonly milliseconds: (value: number) => string;

  readonly services: string;
  readonly serviceNames: Readonly<Record<"gateway" | "encoder" | "decoder", string>>;
  readonly serviceStates: Readonly<Record<"ok" | "degraded" | "down" | "unknown", string>>;

  readonly cameraTitle: string;
  readonly cameraShoot: string;
  readonly cameraClose: string;
  readonly cameraDenied: string;

  readonly tryAgain: string;
  readonly apiKey: string;
  readonly useKey: string;
  readonly problems: Problems;
}

export type ExampleName = "astronaut" | "cat" | "coffee" | "rocket";

/** Extension members of a problem document, as they came. */
export type Members = Readonly<Record<string, unknown>>;

/** A sentence for each code of the API and of the page itself. */
export type Problems = Readonly<Record<ProblemCode, (members: Members) => string>>;

export type ProblemCode = (typeof PROBLEM_CODES)[number];

export const PROBLEM_CODES = [
  "unreachable",
  "interrupted",
  "not-an-image",
  "unsupported-media-type",
  "corrupt-image",
  "empty-image",
  "too-many-pixels",
  "body-too-large",
  "upload-too-slow",
  "invalid-parameter",
  "unknown-language",
  "unauthorized",
  "forbidden",
  "rate-limited",
  "overloaded",
  "service-unavailable",
  "model-mismatch",
  "shutting-down",
  "deadline-passed",
  "internal-error",
  "unknown",
] as const;

export type PageLanguageCode = "en" | "uk";

export const TEXTS: Readonly<Record<PageLanguageCode, Texts>> = { en, uk };

export function sentenceFor(texts: Texts, code: string, members: Members): string {
  const known = (PROBLEM_CODES as readonly string[]).includes(code);
  return texts.problems[known ? (code as ProblemCode) : "unknown"](members);
}
