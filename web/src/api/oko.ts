import { serverEvents } from "./events";
import { Problem } from "./problem";
import type { CaptionEvent, Health, Language } from "./types";

export interface CaptionRequest {
  readonly photo: Blob;
  readonly language: string;
  /** Needed only where the gateway was given keys. */
  readonly apiKey: string | null;
  readonly signal: AbortSignal;
}

/**
 * Captions a photo word by word.
 *
 * Throws `Problem` for everything that went wrong, and what `fetch` throws when `signal` aborts.
 */
export async function* streamCaption(
  request: CaptionRequest,
): AsyncGenerator<CaptionEvent, void, undefined> {
  const form = new FormData();
  form.set("image", request.photo);
  const address = `/v1/captions/stream?language=${encodeURIComponent(request.language)}`;
  const response = await reach(address, {
    method: "POST",
    body: form,
    signal: request.signal,
    headers: request.apiKey ? { Authorization: `Bearer ${request.apiKey}` } : {},
  });
  if (!response.ok) throw await Problem.fromResponse(response);
  if (!response.body) throw new Problem("interrupted", 0, "The answer has no body.");
  let complete = false;
  try {
    for await (const event of serverEvents(response.body)) {
      const data: unknown = JSON.parse(event.data);
      if (event.name === "problem") throw Problem.from(data, 0);
      yield { name: event.name, data } as CaptionEvent;
      complete ||= event.name === "caption";
    }
  } catch (error) {
    if (error instanceof Problem || request.signal.aborted) throw error;
    throw new Problem("interrupted", 0, String(error));
  }
  if (!complete) throw new Problem("interrupted", 0, "The stream ended before the caption.");
}

export async function fetchLanguages(signal: AbortSignal): Promise<readonly Language[]> {
  const response = await reach("/v1/languages", { signal });
  if (!response.ok) throw await Problem.fromResponse(response);
  const document = (await response.json()) as { languages: Language[] };
  return document.languages;
}

export async function fetchHealth(signal: AbortSignal): Promise<Health> {
  const response = await reach("/health", { signal });
  if (!response.ok) throw await Problem.fromResponse(response);
  return (await response.json()) as Health;
}

async function reach(address: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem("unreachable", 0, String(error));
  }
}
