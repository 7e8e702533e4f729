import { CloseIcon } from "../icons";
import { useTexts } from "../language/PageLanguage";
import type { Texts } from "../language/texts";
import type { Action, Gallery } from "./gallery";
import type { Photo } from "./photo";
import { AddButton } from "./pick";

interface FilmstripProps {
  readonly gallery: Gallery;
  readonly dispatch: (action: Action) => void;
  readonly onPhotos: (photos: readonly File[]) => void;
}

/** All photos of this visit, and a place for more. */
export function Filmstrip({ gallery, dispatch, onPhotos }: FilmstripProps) {
  const texts = useTexts();
  const { photos, selected, language } = gallery;
  return (
    <ul className="filmstrip" aria-label={texts.photos}>
      {photos.map((photo, index) => (
        <li key={photo.id} className={stateOf(photo, language)}>
          <button
            type="button"
            className="frame"
            aria-current={photo.id === selected}
            aria-label={[
              texts.photoNumber(index + 1, photos.length, photo.name),
              ...stateInWords(stateOf(photo, language), texts),
            ].join(", ")}
            title={photo.readings[language]?.caption?.caption ?? photo.name}
            onClick={() => dispatch({ type: "select", photo: photo.id })}
          >
            <img
              src={photo.url}
              alt=""
              onError={({ currentTarget }) => (currentTarget.hidden = true)}
            />
          </button>
          <button
            type="button"
            className="remove"
            aria-label={texts.removePhoto(photo.name)}
            title={texts.removePhoto(photo.name)}
            onClick={() => dispatch({ type: "remove", photo: photo.id })}
          >
            <CloseIcon />
          </button>
        </li>
      ))}
      <li>
        <AddButton onPhotos={onPhotos} />
      </li>
    </ul>
  );
}

function stateInWords(state: string, texts: Texts): string[] {
  if (state === "failed") return [texts.photoFailed];
  return state === "done" ? [] : [texts.photoWaits];
}

function stateOf(photo: Photo, language: string): string {
  return photo.readings[language]?.phase ?? "waiting";
}
