import { useEffect, useRef, useState } from "react";
import { CloseIcon } from "../icons";
import { useTexts } from "../language/PageLanguage";

interface CameraProps {
  readonly onPhoto: (photo: File) => void;
  readonly onClose: () => void;
}

export function Camera({ onPhoto, onClose }: CameraProps) {
  const texts = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<"asking" | "on" | "denied">("asking");

  useEffect(() => dialog.current?.showModal(), []);

  useEffect(() => {
    let stream: MediaStream | null = null;
    let closed = false;
    const stop = () => stream?.getTracks().forEach((track) => track.stop());
    const start = async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({
          video: { facingMode: "environment", width: { ideal: 1920 } },
        });
        if (closed) return stop();
        if (video.current) video.current.srcObject = stream;
      } catch {
        if (!closed) setState("denied");
      }
    };
    void start();
    return () => {
      closed = true;
      stop();
    };
  }, []);

  const shoot = async () => {
    if (!video.current) return;
    const photo = await frameOf(video.current);
    if (photo) onPhoto(new File([photo], `${texts.taken}.jpg`, { type: photo.type }));
  };

  return (
    <dialog ref={dialog} className="camera" aria-label={texts.cameraTitle} onClose={onClose}>
      {state === "denied" ? (
        <p>{texts.cameraDenied}</p>
      ) : (
        // Only now is there a picture to take: before, the video has no size.
        <video ref={video} autoPlay playsInline muted onLoadedData={() => setState("on")} />
      )}
      <div className="row">
        {state !== "denied" && (
          <button
            type="button"
            className="button primary"
            disabled={state !== "on"}
            onClick={() => void shoot()}
          >
            {texts.cameraShoot}
          </button>
        )}
        <button type="button" className="button" onClick={onClose}>
          <CloseIcon />
          {texts.cameraClose}
        </button>
      </div>
    </dialog>
  );
}

function frameOf(video: HTMLVideoElement): Promise<Blob | null> {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}
