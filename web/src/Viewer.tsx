import type { Language } from "./api/types";
import { Alternatives } from "./caption/Alternatives";
import { Playback } from "./caption/Playback";
import { Trouble } from "./caption/Trouble";
import { useWordWalk } from "./caption/useWordWalk";
import { Words } from "./caption/Words";
import { Filmstrip } from "./gallery/Filmstrip";
import type { Photo, Reading } from "./gallery/photo";
import type { GalleryControl } from "./gallery/useGallery";
import { Choice } from "./language/Choice";
import { percent } from "./language/numbers";
import { usePageLanguage } from "./language/PageLanguage";
import type { Texts } from "./language/texts";
import { usePreference } from "./preference";
import { Share } from "./share/Share";
import { Stage } from "./stage/Stage";
import { Details } from "./status/Details";

interface ViewerProps {
  readonly photo: Photo;
  readonly control: GalleryControl;
  readonly languages: readonly Language[];
  readonly onPhotos: (photos: readonly File[]) => void;
}

/** One photo, its caption, and where each word of it looked. */
export function Viewer({ photo, control, languages, onPhotos }: ViewerProps) {
  const { code, texts } = usePageLanguage();
  const { gallery, dispatch, enterKey } = control;
  const reading = photo.readings[gallery.language];
  const walk = useWordWalk(`${photo.id}/${gallery.language}`, reading);
  const [strength, setStrength] = usePreference("light", "100");
  const word = walk.active === null ? null : (walk.words[walk.active] ?? null);
  const caption = walk.complete ? (reading?.caption ?? null) : null;
  const trouble = reading?.phase === "failed" ? reading.problem : null;
  const pinnedWord = walk.pinned === null ? undefined : walk.words[walk.pinned];

  return (
    <main className="viewer" id="main">
      <h1 className="unseen">{photo.name}</h1>
      <div className="left">
        <Stage
          key={photo.id}
          photo={photo}
          reading={reading}
          word={word}
          strength={Number(strength)}
        />
        <Filmstrip gallery={gallery} dispatch={dispatch} onPhotos={onPhotos} />
      </div>
      <div className="panel">
        <div className="panel-head">
          <span className="quiet" aria-hidden="true">
            {texts.captionIn}
          </span>
          <Choice
            label={texts.captionLanguage}
            options={languages.map(({ code: value, name }) => ({ value, label: name, lang: value }))}
            value={gallery.language}
            onChange={(language) => dispatch({ type: "speak", language })}
          />
          {caption && (
            <span className="score">{texts.score(percent(caption.score, code))}</span>
          )}
        </div>
        {trouble ? (
          <Trouble
            problem={trouble}
            onRetry={() => dispatch({ type: "retry" })}
            onKey={enterKey}
            onPhotos={onPhotos}
          />
        ) : (
          <section className="caption">
            {walk.words.length > 0 ? (
              <Words walk={walk} language={gallery.language} />
            ) : (
              <p className="progress">{progress(reading, texts)}</p>
            )}
            <Playback
              walk={walk}
              strength={Number(strength)}
              onStrength={(value) => setStrength(String(value))}
            />
          </section>
        )}
        {caption && (
          <div className="after" key={caption.request_id}>
            <Alternatives caption={caption} />
            <Share photo={photo} caption={caption} strength={Number(strength)} />
            <Details caption={caption} />
          </div>
        )}
      </div>
      <p className="unseen" role="status" lang={caption ? gallery.language : code}>
        {pinnedWord
          ? texts.announceWord(pinnedWord.text, percent(pinnedWord.probability, code))
          : caption
            ? texts.announce(caption.caption)
            : !trouble && progress(reading, texts)}
      </p>
    </main>
  );
}

function progress(reading: Reading | undefined, texts: Texts): string {
  if (!reading) return texts.waiting;
  if (reading.phase === "busy") return texts.busy(Math.round(reading.wait ?? 1));
  return texts.looking;
}
