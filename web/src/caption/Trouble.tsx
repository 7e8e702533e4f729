import { useState, type FormEvent } from "react";
import type { Problem } from "../api/problem";
import { ChooseButton } from "../gallery/pick";
import { useTexts } from "../language/PageLanguage";
import { sentenceFor } from "../language/texts";

const NEEDS_KEY = new Set([401, 403]);
const NEEDS_OTHER_FILE = new Set([413, 415, 422]);

interface TroubleProps {
  readonly problem: Problem;
  readonly onRetry: () => void;
  readonly onKey: (key: string) => void;
  readonly onPhotos: (photos: readonly File[]) => void;
}

/** What went wrong, as a sentence that helps, and what can be done about it here. */
export function Trouble({ problem, onRetry, onKey, onPhotos }: TroubleProps) {
  const texts = useTexts();
  return (
    <div className="trouble" role="alert">
      <p>{sentenceFor(texts, problem.code, problem.members)}</p>
      {NEEDS_KEY.has(problem.status) ? (
        <KeyForm onKey={onKey} />
      ) : NEEDS_OTHER_FILE.has(problem.status) ? (
        <ChooseButton onPhotos={onPhotos} />
      ) : (
        <button type="button" className="button" onClick={onRetry}>
          {texts.tryAgain}
        </button>
      )}
      {problem.requestId && (
        <p className="quiet">
          {texts.request} <code>{problem.requestId}</code>
        </p>
      )}
    </div>
  );
}

function KeyForm({ onKey }: { onKey: (key: string) => void }) {
  const texts = useTexts();
  const [key, setKey] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key) onKey(key);
  };
  return (
    <form onSubmit={submit} className="key">
      <label>
        <span>{texts.apiKey}</span>
        <input
          type="password"
          autoComplete="off"
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <button type="submit" className="button">
        {texts.useKey}
      </button>
    </form>
  );
}
