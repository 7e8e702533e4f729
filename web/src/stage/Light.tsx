import { useEffect, useRef } from "react";
import type { Word } from "../api/types";
import { reducedMotion } from "../motion";
import { blend, drawLight, levelsOf, type Levels } from "./heatmap";

const GLIDE_MS = 260;

interface LightProps {
  /** The word whose light falls on the photo; none: the photo is shown as it is. */
  readonly word: Word | null;
  /** 0–100. */
  readonly strength: number;
}

/** The veil over the photo, gliding from word to word. */
export function Light({ word, strength }: LightProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = useRef<Levels | null>(null);

  useEffect(() => {
    if (!word || !canvas.current) return;
    const target = canvas.current;
    const to = levelsOf(word.attention);
    const from = shown.current;
    if (!from || reducedMotion()) {
      shown.current = to;
      drawLight(target, to);
      return;
    }
    const started = performance.now();
    let frame = 0;
    const step = (now: number) => {
      const progress = Math.min(1, Math.max(0, (now - started) / GLIDE_MS));
      shown.current = blend(from, to, 1 - (1 - progress) ** 3);
      drawLight(target, shown.current);
      if (progress < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [word]);

  return (
    <canvas
      ref={canvas}
      className="light"
      aria-hidden="true"
      data-word={word?.text}
      style={{ opacity: word ? strength / 100 : 0 }}
    />
  );
}
