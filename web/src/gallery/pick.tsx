import { useRef, useState, type ChangeEvent, type ReactNode } from "react";
import { CameraIcon, PhotoIcon, PlusIcon } from "../icons";
import { useTexts } from "../language/PageLanguage";
import { Camera } from "./Camera";
import { ACCEPTED } from "./intake";

type OnPhotos = (photos: readonly File[]) => void;

export function ChooseButton({ onPhotos }: { onPhotos: OnPhotos }) {
  const texts = useTexts();
  return (
    <FileButton className="button primary" onPhotos={onPhotos}>
      <PhotoIcon />
      {texts.choose}
    </FileButton>
  );
}

export function AddButton({ onPhotos }: { onPhotos: OnPhotos }) {
  const texts = useTexts();
  return (
    <FileButton className="frame add" label={texts.addPhotos} onPhotos={onPhotos}>
      <PlusIcon />
    </FileButton>
  );
}

/** On a phone its own camera app; elsewhere a small dialog with the camera of the computer. */
export function CameraButton({ onPhotos }: { onPhotos: OnPhotos }) {
  const texts = useTexts();
  const [open, setOpen] = useState(false);
  const phone = matchMedia("(pointer: coarse)").matches;
  const face = (
    <>
      <CameraIcon />
      {texts.camera}
    </>
  );
  if (phone) {
    return (
      <FileButton className="button" capture onPhotos={onPhotos}>
        {face}
      </FileButton>
    );
  }
  // Browsers give the camera to secure pages only: https, or this very machine.
  if (!("mediaDevices" in navigator)) return null;
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        {face}
      </button>
      {open && (
        <Camera
          onPhoto={(photo) => {
            setOpen(false);
            onPhotos([photo]);
          }}
          onClose={() => setOpen(false)}
        />
      )}
    </>
  );
}

interface FileButtonProps {
  readonly className: string;
  readonly label?: string;
  readonly capture?: boolean;
  readonly onPhotos: OnPhotos;
  readonly children: ReactNode;
}

/** A real button in front of a hidden file input: focus, Enter and Space work as everywhere. */
function FileButton({ className, label, capture = false, onPhotos, children }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const change = (event: ChangeEvent<HTMLInputElement>) => {
    const photos = [...(event.currentTarget.files ?? [])];
    event.currentTarget.value = ""; // so that the same photo can be chosen again
    if (photos.length) onPhotos(photos);
  };
  return (
    <>
      <button
        type="button"
        className={className}
        aria-label={label}
        title={label}
        onClick={() => input.current?.click()}
      >
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept={ACCEPTED}
        onChange={change}
        {...(capture ? { capture: "environment" } : { multiple: true })}
      />
    </>
  );
}
