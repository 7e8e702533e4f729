import { useCallback, useEffect, useMemo, useState } from "react";
import type { Word } from "../api/types";
import type { Reading } from "../gallery/photo";
import { reducedMotion } from "../motion";

/** A word stays at least this long while the caption appears: often several arrive together. */
const REVEAL_MS = 230;
/** The light of the last word stays on for a moment. */
const LINGER_MS = 1100;
const PLAY_MS = 750;

/** Where the person, or the caption itself, is among the words. */
export interface WordWalk {
  /** The words that have appeared so far. */
  readonly words: readonly Word[];
  /** All words are there and have been shown. */
  readonly complete: boolean;
  /** Index of the word whose light is on. */
  readonly active: number | null;
  /** Index of the word that was chosen to stay lit. */
  readonly pinned: number | null;
  readonly playing: boolean;
  readonly point: (index: number | null) => void;
  readonly focus: (index: number | null) => void;
  readonly pin: (index: number | null) => void;
  readonly play: () => void;
  readonly pause: () => void;
}

interface Walk {
  readonly key: string;
  readonly shown: number;
  readonly lingering: boolean;
  readonly pointed: number | null;
  readonly focused: number | null;
  readonly pinned: number | null;
  readonly playing: boolean;
}

const NO_WORDS: readonly Word[] = [];

/**
 * @param key names photo and language; another key starts a new walk
 * @param reading what has been heard so far
 */
export function useWordWalk(key: string, reading: Reading | undefined): WordWalk {
  const [walk, setWalk] = useState(() => beginning(key, reading));
  // https://react.dev/reference/react/useState#storing-information-from-previous-renders
  if (walk.key !== key) setWalk(beginning(key, reading));
  const change = useCallback(
    (part: Partial<Walk>) => setWalk((before) => ({ ...before, ...part })),
    [],
  );

  const all = reading?.words ?? NO_WORDS;
  const shown = Math.min(walk.shown, all.length);
  const complete = reading?.phase === "done" && shown === all.length;

  useEffect(() => {
    if (shown >= all.length) return;
    const wait = shown === 0 || reducedMotion() ? 0 : REVEAL_MS;
    const timer = setTimeout(() => change({ shown: shown + 1, lingering: true }), wait);
    return () => clearTimeout(timer);
  }, [shown, all.length, change]);

  useEffect(() => {
    if (!complete || !walk.lingering) return;
    const timer = setTimeout(() => change({ lingering: false }), LINGER_MS);
    return () => clearTimeout(timer);
  }, [complete, walk.lingering, change]);

  useEffect(() => {
    if (!walk.playing || walk.pinned === null) return;
    const next = walk.pinned + 1;
    const timer = setTimeout(
      () => change(next < all.length ? { pinned: next } : { pinned: null, playing: false }),
      PLAY_MS,
    );
    return () => clearTimeout(timer);
  }, [walk.playing, walk.pinned, all.length, change]);

  const controls = useMemo(
    () => ({
      point: (pointed: number | null) => change({ pointed }),
      focus: (focused: number | null) => change({ focused }),
      pin: (pinned: number | null) => change({ pinned, playing: false, lingering: false }),
      pause: () => change({ playing: false }),
      play: () =>
        setWalk((before) => ({
          ...before,
          playing: true,
          lingering: false,
          pointed: null,
          focused: null,
          pinned: before.pinned ?? 0,
        })),
    }),
    [change],
  );

  const appearing = walk.lingering && shown > 0 ? shown - 1 : null;
  const active = walk.pointed ?? walk.focused ?? walk.pinned ?? appearing;
  return {
    words: useMemo(() => all.slice(0, shown), [all, shown]),
    complete,
    active: active !== null && active < shown ? active : null,
    pinned: walk.pinned,
    playing: walk.playing,
    ...controls,
  };
}

/** A caption that is already there is shown at once; one that is still coming appears. */
function beginning(key: string, reading: Reading | undefined): Walk {
  const shown = reading?.phase === "done" ? reading.words.length : 0;
  const nowhere = { pointed: null, focused: null, pinned: null, playing: false };
  return { key, shown, lingering: false, ...nowhere };
}
