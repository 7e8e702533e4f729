import { useEffect, useRef, useState } from "react";

/**
 * Kinds that are asked for by name: with `image/*` an iPhone would hand over HEIC, with this list
 * it converts its photos to JPEG itself.
 */
export const ACCEPTED = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/gif",
  "image/bmp",
  "image/tiff",
  "image/avif",
].join(",");

interface Intake {
  readonly onPhotos: (photos: readonly File[]) => void;
  readonly onRefused: (names: readonly string[]) => void;
}

/** Takes photos that are dropped or pasted anywhere on the page; true while one hovers over it. */
export function useIntake({ onPhotos, onRefused }: Intake): boolean {
  const [hovering, setHovering] = useState(false);
  const depth = useRef(0);

  useEffect(() => {
    const take = (transfer: DataTransfer | null) => {
      const files = [...(transfer?.files ?? [])];
      const photos = files.filter(looksLikePhoto);
      if (photos.length) onPhotos(photos);
      const refused = files.filter((file) => !looksLikePhoto(file));
      if (refused.length) onRefused(refused.map((file) => file.name));
      return files.length > 0;
    };
    const enter = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth.current++;
      setHovering(true);
    };
    const over = (event: DragEvent) => {
      if (carriesFiles(event)) event.preventDefault();
    };
    const leave = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth.current = Math.max(0, depth.current - 1);
      if (depth.current === 0) setHovering(false);
    };
    const drop = (event: DragEvent) => {
      depth.current = 0;
      setHovering(false);
      if (!carriesFiles(event)) return;
      event.preventDefault();
      take(event.dataTransfer);
    };
    const paste = (event: ClipboardEvent) => {
      if (take(event.clipboardData)) event.preventDefault();
    };
    addEventListener("dragenter", enter);
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    addEventListener("paste", paste);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
      removeEventListener("paste", paste);
    };
  }, [onPhotos, onRefused]);

  return hovering;
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Some systems name no kind for TIFF and AVIF; the server has the last word in any case. */
function looksLikePhoto(file: File): boolean {
  return file.type === "" || file.type.startsWith("image/");
}
