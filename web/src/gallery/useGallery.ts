import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import { streamCaption } from "../api/oko";
import { Problem } from "../api/problem";
import { usePreference } from "../preference";
import { galleryReducer, nextJob, type Action, type Gallery, type Job } from "./gallery";
import type { Photo } from "./photo";

/** Further attempts at a photo while the server says that it is busy. */
const PATIENCE = 3;
/** Longest `Retry-After`, in seconds, that is waited for without asking the person. */
const LONGEST_WAIT_S = 8;

export interface GalleryControl {
  readonly gallery: Gallery;
  readonly photo: Photo | null;
  readonly add: (files: readonly Blob[], name: string) => void;
  readonly dispatch: (action: Action) => void;
  readonly enterKey: (key: string) => void;
}

/** Keeps the photos and asks for their captions, one after the other. */
export function useGallery(initialLanguage: string): GalleryControl {
  const [language, remember] = usePreference("caption-language", initialLanguage);
  const [gallery, dispatch] = useReducer(galleryReducer, {
    photos: [],
    selected: null,
    language,
  });
  const apiKey = useRef<string | null>(null);

  const add = useCallback((files: readonly Blob[], name: string) => {
    const photos = files.map((file) => ({
      id: crypto.getRandomValues(new Uint32Array(2)).join("-"),
      file,
      name: file instanceof File && file.name ? file.name : name,
      url: URL.createObjectURL(file),
      readings: {},
    }));
    if (photos.length) dispatch({ type: "add", photos });
  }, []);

  const enterKey = useCallback((key: string) => {
    apiKey.current = key;
    dispatch({ type: "retry" });
  }, []);

  useEffect(() => remember(gallery.language), [gallery.language, remember]);
  useReleasedUrls(gallery.photos);
  useJobs(gallery, dispatch, apiKey);

  const photo = gallery.photos.find(({ id }) => id === gallery.selected) ?? null;
  return { gallery, photo, add, dispatch, enterKey };
}

/** One request at a time; what is no longer wanted is aborted, so that its decoder slot is free. */
function useJobs(
  gallery: Gallery,
  dispatch: (action: Action) => void,
  apiKey: { readonly current: string | null },
): void {
  const [running, setRunning] = useState<Job | null>(null);
  const current = useRef<{ job: Job; abort: AbortController } | null>(null);

  useEffect(() => {
    const active = current.current;
    if (active) {
      const gone = !gallery.photos.some((photo) => photo.id === active.job.photo);
      if (gone || active.job.language !== gallery.language) active.abort.abort();
      return;
    }
    const job = nextJob(gallery);
    const photo = gallery.photos.find(({ id }) => id === job?.photo);
    if (!job || !photo) return;
    const abort = new AbortController();
    current.current = { job, abort };
    setRunning(job);
    void read(job, photo.file, apiKey, abort.signal, dispatch).finally(() => {
      current.current = null;
      setRunning(null); // a change of state, so that this effect looks for the next job
    });
  }, [gallery, running, dispatch, apiKey]);

  useEffect(() => () => current.current?.abort.abort(), []);
}

async function read(
  job: Job,
  photo: Blob,
  apiKey: { readonly current: string | null },
  signal: AbortSignal,
  dispatch: (action: Action) => void,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    dispatch({ type: "start", job });
    try {
      const request = { photo, language: job.language, apiKey: apiKey.current, signal };
      for await (const event of streamCaption(request)) dispatch({ type: "hear", job, event });
      return;
    } catch (error) {
      if (signal.aborted) {
        dispatch({ type: "forget", job });
        return;
      }
      const problem = error instanceof Problem ? error : new Problem("unknown", 0, String(error));
      const wait = attempt < PATIENCE ? patience(problem) : null;
      dispatch({ type: "fail", job, problem, wait });
      if (wait === null) return;
      await pause(wait, signal);
    }
  }
}

/** Seconds to wait before trying again without being asked, null when that makes no sense. */
function patience({ status, retryAfter }: Problem): number | null {
  if (status !== 429 && status !== 503) return null;
  return retryAfter !== null && retryAfter <= LONGEST_WAIT_S ? Math.max(1, retryAfter) : null;
}

function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Gives the memory of photos back once they are removed. */
function useReleasedUrls(photos: readonly Photo[]): void {
  const known = useRef<readonly Photo[]>([]);
  useEffect(() => {
    for (const { id, url } of known.current)
      if (!photos.some((photo) => photo.id === id)) URL.revokeObjectURL(url);
    known.current = photos;
  }, [photos]);
}
