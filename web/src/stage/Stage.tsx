import { useState, type CSSProperties } from "react";
import type { Word } from "../api/types";
import type { Photo, Reading } from "../gallery/photo";
import { useTexts } from "../language/PageLanguage";
import { Light } from "./Light";

interface StageProps {
  readonly photo: Photo;
  readonly reading: Reading | undefined;
  readonly word: Word | null;
  readonly strength: number;
}

/** The photo at its true aspect ratio, with the light of a word on it. */
export function Stage({ photo, reading, word, strength }: StageProps) {
  const texts = useTexts();
  const [natural, setNatural] = useState<{ width: number; height: number } | null>(null);
  const [unshowable, setUnshowable] = useState(false);
  const size = reading?.size ?? natural;
  const looking = reading?.phase === "looking";
  return (
    <figure
      className={looking ? "stage looking" : "stage"}
      style={{ "--ratio": size ? size.width / size.height : 4 / 3 } as CSSProperties}
    >
      {unshowable ? (
        <p className="unshowable">{texts.cannotShow}</p>
      ) : (
        <img
          src={photo.url}
          alt={reading?.caption?.caption ?? photo.name}
          lang={reading?.caption?.language}
          onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) =>
            setNatural({ width, height })
          }
          onError={() => setUnshowable(true)}
        />
      )}
      <Light word={word} strength={strength} />
    </figure>
  );
}
