import { useEffect, useState, type ReactNode } from "react";
import type { Caption } from "../api/types";
import type { Photo } from "../gallery/photo";
import { CheckIcon, CodeIcon, CopyIcon, DownloadIcon, PhotoIcon } from "../icons";
import { usePageLanguage } from "../language/PageLanguage";
import { copyText, saveFile } from "./clipboard";
import { altText, imgTag, withEnding } from "./text";

interface ShareProps {
  readonly photo: Photo;
  readonly caption: Caption;
  readonly strength: number;
}

interface Outcome {
  readonly done: boolean;
  readonly text: string;
}

export function Share({ photo, caption, strength }: ShareProps) {
  const { code, texts } = usePageLanguage();
  const copy = async (text: string): Promise<Outcome> =>
    (await copyText(text))
      ? { done: true, text: texts.copied }
      : { done: false, text: texts.copyFailed };
  const save = (content: Blob, ending: string): Outcome => {
    saveFile(content, withEnding(photo.name, ending));
    return { done: true, text: texts.saved };
  };
  const saveJson = async () =>
    save(new Blob([JSON.stringify(caption, null, 2)], { type: "application/json" }), "json");
  const savePicture = async () => {
    try {
      const { poster } = await import("./poster");
      return save(await poster(photo.url, caption, strength, code), "oko.png");
    } catch {
      return { done: false, text: texts.pictureFailed };
    }
  };
  const { caption: text, language } = caption;
  return (
    <section className="share" aria-label={texts.share}>
      <Act icon={<CopyIcon />} act={() => copy(altText(text, language))}>
        {texts.copyAlt}
      </Act>
      <Act icon={<CodeIcon />} act={() => copy(imgTag(photo.name, text, language))}>
        {texts.copyHtml}
      </Act>
      <Act icon={<DownloadIcon />} act={saveJson}>
        {texts.downloadJson}
      </Act>
      <Act icon={<PhotoIcon />} act={savePicture}>
        {texts.downloadPicture}
      </Act>
    </section>
  );
}

interface ActProps {
  readonly icon: ReactNode;
  readonly act: () => Promise<Outcome>;
  readonly children: ReactNode;
}

/** A button that says for a moment how it went. */
function Act({ icon, act, children }: ActProps) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(null), outcome.done ? 1800 : 5000);
    return () => clearTimeout(timer);
  }, [outcome]);
  return (
    <button type="button" className="act" onClick={() => void act().then(setOutcome)}>
      {outcome?.done ? <CheckIcon /> : icon}
      <span>{outcome ? outcome.text : children}</span>
      <span className="unseen" role="status">
        {outcome?.text}
      </span>
    </button>
  );
}
