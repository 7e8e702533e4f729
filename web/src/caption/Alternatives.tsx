import type { CSSProperties } from "react";
import type { Caption } from "../api/types";
import { percent } from "../language/numbers";
import { usePageLanguage } from "../language/PageLanguage";

/** The captions that came next, with their scores. */
export function Alternatives({ caption }: { caption: Caption }) {
  const { code, texts } = usePageLanguage();
  if (caption.alternatives.length === 0) return null;
  return (
    <section className="alternatives" aria-labelledby="alternatives">
      <h2 id="alternatives">{texts.alternatives}</h2>
      <ol>
        {caption.alternatives.map((other) => (
          <li key={other.caption} style={{ "--score": other.score } as CSSProperties}>
            <span lang={caption.language}>{other.caption}</span>
            <span className="score" title={texts.score(percent(other.score, code))}>
              {percent(other.score, code)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
