import { useEffect, useRef, type CSSProperties, type KeyboardEvent } from "react";
import { percent } from "../language/numbers";
import { usePageLanguage } from "../language/PageLanguage";
import type { WordWalk } from "./useWordWalk";

interface WordsProps {
  readonly walk: WordWalk;
  readonly language: string;
}

/** The caption as a row of words to walk through; each shows how sure Oko was of it. */
export function Words({ walk, language }: WordsProps) {
  const { code, texts } = usePageLanguage();
  const buttons = useRef<(HTMLButtonElement | null)[]>([]);
  const { words, active, pinned, complete } = walk;
  const home = Math.min(pinned ?? active ?? 0, words.length - 1); // the one word that Tab reaches

  useArrowKeys(walk);

  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const from = buttons.current.indexOf(document.activeElement as HTMLButtonElement);
    const to = destination(event.key, from, words.length);
    if (from < 0 || to === null) return;
    event.preventDefault();
    buttons.current[to]?.focus();
  };

  return (
    <div
      className={complete ? "words" : "words arriving"}
      role="toolbar"
      aria-label={texts.words}
      aria-busy={!complete}
      onKeyDown={move}
      onPointerLeave={() => walk.point(null)}
    >
      {words.map((word, index) => (
        <button
          key={index}
          ref={(button) => void (buttons.current[index] = button)}
          type="button"
          className={index === active ? "word lit" : "word"}
          aria-pressed={index === pinned}
          tabIndex={index === home ? 0 : -1}
          // The root, since eyes tell pale shades apart better than strong ones.
          style={{ "--sure": Math.sqrt(word.probability) } as CSSProperties}
          onPointerEnter={(event) => event.pointerType !== "touch" && walk.point(index)}
          onFocus={(event) => event.currentTarget.matches(":focus-visible") && walk.focus(index)}
          onBlur={() => walk.focus(null)}
          onClick={() => walk.pin(index === pinned ? null : index)}
        >
          <span className="text" lang={language}>
            {word.text}
          </span>
          <span className="sure">{percent(word.probability, code)}</span>
        </button>
      ))}
    </div>
  );
}

/** ← and → walk from anywhere on the page where these keys mean nothing else. */
function useArrowKeys({ words, pinned, pin }: WordWalk): void {
  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
      if (usesArrows(event.target)) return;
      if (event.key === "Escape" && pinned !== null) pin(null);
      const right = event.key === "ArrowRight";
      if ((!right && event.key !== "ArrowLeft") || words.length === 0) return;
      const start = right ? -1 : words.length;
      const to = (pinned ?? start) + (right ? 1 : -1);
      pin(Math.min(words.length - 1, Math.max(0, to)));
      event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [words.length, pinned, pin]);
}

function usesArrows(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest("input, select, textarea, dialog, [role=toolbar], [role=radiogroup]") !== null
  );
}

function destination(key: string, from: number, count: number): number | null {
  switch (key) {
    case "ArrowRight":
      return Math.min(count - 1, from + 1);
    case "ArrowLeft":
      return Math.max(0, from - 1);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
