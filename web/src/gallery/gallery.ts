import type { Problem } from "../api/problem";
import type { CaptionEvent } from "../api/types";
import { heard, STARTED, type Photo, type Reading } from "./photo";

/** All photos of this visit, which of them is looked at, and in which language. */
export interface Gallery {
  readonly photos: readonly Photo[];
  readonly selected: string | null;
  readonly language: string;
}

export interface Job {
  readonly photo: string;
  readonly language: string;
}

export type Action =
  | { readonly type: "add"; readonly photos: readonly Photo[] }
  | { readonly type: "remove"; readonly photo: string }
  | { readonly type: "clear" }
  | { readonly type: "select"; readonly photo: string }
  | { readonly type: "speak"; readonly language: string }
  | { readonly type: "start"; readonly job: Job }
  | { readonly type: "hear"; readonly job: Job; readonly event: CaptionEvent }
  | {
      readonly type: "fail";
      readonly job: Job;
      readonly problem: Problem;
      /** Seconds until it is tried again by itself, null when it is not. */
      readonly wait: number | null;
    }
  | { readonly type: "forget"; readonly job: Job }
  | { readonly type: "retry" };

export function galleryReducer(gallery: Gallery, action: Action): Gallery {
  switch (action.type) {
    case "add":
      return {
        ...gallery,
        photos: [...gallery.photos, ...action.photos],
        selected: action.photos[0]?.id ?? gallery.selected,
      };
    case "remove":
      return removed(gallery, action.photo);
    case "clear":
      return { ...gallery, photos: [], selected: null };
    case "select":
      return { ...gallery, selected: action.photo };
    case "speak":
      return { ...gallery, language: action.language };
    case "start":
      return changed(gallery, action.job, () => STARTED);
    case "hear":
      return changed(gallery, action.job, (before) => heard(before ?? STARTED, action.event));
    case "fail":
      return changed(gallery, action.job, (before) => ({
        ...(before ?? STARTED),
        phase: action.wait === null ? "failed" : "busy",
        problem: action.problem,
        wait: action.wait,
      }));
    case "forget":
      return changed(gallery, action.job, () => undefined);
    case "retry":
      return retried(gallery);
  }
}

/** The photo that is looked at first, then the others in order. */
export function nextJob(gallery: Gallery): Job | null {
  const { language, selected } = gallery;
  const open = gallery.photos.filter((photo) => photo.readings[language] === undefined);
  const next = open.find((photo) => photo.id === selected) ?? open[0];
  return next ? { photo: next.id, language } : null;
}

function removed(gallery: Gallery, id: string): Gallery {
  const index = gallery.photos.findIndex((photo) => photo.id === id);
  const photos = gallery.photos.filter((photo) => photo.id !== id);
  const neighbour = photos[Math.min(index, photos.length - 1)];
  const selected = gallery.selected === id ? (neighbour?.id ?? null) : gallery.selected;
  return { ...gallery, photos, selected };
}

/** Every failed photo is asked again in the language that is shown. */
function retried(gallery: Gallery): Gallery {
  const failed = gallery.photos.filter(
    (photo) => photo.readings[gallery.language]?.phase === "failed",
  );
  return failed.reduce(
    (before, photo) =>
      changed(before, { photo: photo.id, language: gallery.language }, () => undefined),
    gallery,
  );
}

function changed(
  gallery: Gallery,
  job: Job,
  change: (before: Reading | undefined) => Reading | undefined,
): Gallery {
  const photos = gallery.photos.map((photo) => {
    if (photo.id !== job.photo) return photo;
    const { [job.language]: before, ...others } = photo.readings;
    const after = change(before);
    return { ...photo, readings: after ? { ...others, [job.language]: after } : others };
  });
  return { ...gallery, photos };
}
