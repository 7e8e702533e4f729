import { PauseIcon, PlayIcon, SunIcon } from "../icons";
import { useTexts } from "../language/PageLanguage";
import type { WordWalk } from "./useWordWalk";

interface PlaybackProps {
  readonly walk: WordWalk;
  /** 0–100. */
  readonly strength: number;
  readonly onStrength: (strength: number) => void;
}

export function Playback({ walk, strength, onStrength }: PlaybackProps) {
  const texts = useTexts();
  return (
    <div className="playback">
      <button
        type="button"
        className="round"
        disabled={!walk.complete}
        aria-label={walk.playing ? texts.pause : texts.play}
        title={walk.playing ? texts.pause : texts.play}
        onClick={walk.playing ? walk.pause : walk.play}
      >
        {walk.playing ? <PauseIcon /> : <PlayIcon />}
      </button>
      <p className="hint">
        <span className="with-pointer">{texts.walkHint}</span>
        <span className="with-touch">{texts.walkHintTouch}</span>
      </p>
      <label className="strength" title={texts.light}>
        <SunIcon />
        <span className="unseen">{texts.light}</span>
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={strength}
          onChange={(event) => onStrength(event.currentTarget.valueAsNumber)}
        />
      </label>
    </div>
  );
}
