import { useCallback, useEffect, useState } from "react";
import { fetchLanguages } from "./api/oko";
import type { Language } from "./api/types";
import { useIntake } from "./gallery/intake";
import { useGallery } from "./gallery/useGallery";
import { Header } from "./Header";
import { usePageLanguage } from "./language/PageLanguage";
import { Footer } from "./status/Footer";
import { Viewer } from "./Viewer";
import { Welcome } from "./Welcome";

const NOTE_MS = 6000;

export function App() {
  const { code, texts } = usePageLanguage();
  const control = useGallery(code);
  const { add, dispatch, gallery, photo } = control;
  const languages = useLanguages(gallery.language, (language) =>
    dispatch({ type: "speak", language }),
  );
  const [note, setNote] = useNote();

  const onPhotos = useCallback(
    (photos: readonly File[]) => add(photos, texts.pasted),
    [add, texts],
  );
  const onRefused = useCallback(
    (names: readonly string[]) => setNote(texts.notPhotos(names)),
    [setNote, texts],
  );
  const hovering = useIntake({ onPhotos, onRefused });

  return (
    <>
      <Header onHome={() => dispatch({ type: "clear" })} />
      {photo ? (
        <Viewer photo={photo} control={control} languages={languages} onPhotos={onPhotos} />
      ) : (
        <Welcome onPhotos={onPhotos} />
      )}
      <Footer />
      <p className="note" role="status">
        {note}
      </p>
      {hovering && (
        <div className="drop-veil" aria-hidden="true">
          <p>{texts.dropAnywhere}</p>
        </div>
      )}
    </>
  );
}

/** The languages that the server has; another one than was remembered is chosen when it must be. */
function useLanguages(
  current: string,
  choose: (language: string) => void,
): readonly Language[] {
  const [languages, setLanguages] = useState<readonly Language[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    fetchLanguages(abort.signal)
      .then(setLanguages)
      .catch(() => undefined); // the caption's own error says what is wrong
    return () => abort.abort();
  }, []);
  const first = languages[0];
  useEffect(() => {
    if (first && !languages.some(({ code }) => code === current)) choose(first.code);
  });
  return languages;
}

function useNote(): [string, (note: string) => void] {
  const [note, setNote] = useState("");
  useEffect(() => {
    if (!note) return;
    const timer = setTimeout(() => setNote(""), NOTE_MS);
    return () => clearTimeout(timer);
  }, [note]);
  return [note, setNote];
}
