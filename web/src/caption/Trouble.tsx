import { useState, type FormEvent } from "react";
import type { Problem } from "../api/problem";
import { useTexts } from "../language/PageLanguage";
import { sentenceFor } from "../language/texts";

interface TroubleProps {
  readonly problem: Problem;
  readonly onRetry: () => void;
  readonly onKey: (key: string) => void;
}

/** What went wrong, as a sentence that helps, and what can be done about it here. */
export function Trouble({ problem, onRetry, onKey }: TroubleProps) {
  const texts = useTexts();
  const needsKey = problem.status === 401 || problem.status === 403;
  return (
    <div className="trouble" role="alert">
      <p>{sentenceFor(texts, problem.code, problem.members)}</p>
      {needsKey ? (
        <KeyForm onKey={onKey} />
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
