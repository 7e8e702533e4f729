import { megabytes, megapixels, numberOf } from "./numbers";
import type { Texts } from "./texts";

export const en: Texts = {
  name: "English",
  brand: "Oko",
  title: "Show Oko a photo",
  lead: "It says what is there, word by word, and lights up where it looked for each of them.",
  dropHere: "Drop photos here",
  choose: "Choose photos",
  camera: "Take a photo",
  pasteHint: "or paste one from the clipboard",
  privacy: "Photos go to this server only and are not kept.",
  examples: "No photo at hand? Try one of these",
  exampleNames: {
    astronaut: "An astronaut",
    cat: "A cat",
    coffee: "A cup of coffee",
    rocket: "A rocket",
  },
  dropAnywhere: "Let go, and Oko looks",
  notPhotos: (names) =>
    `${names.join(", ")} ${names.length === 1 ? "is not a photo" : "are not photos"}, so Oko left ${names.length === 1 ? "it" : "them"} out.`,

  pageLanguage: "Language of this page",
  captionLanguage: "Language of the caption",
  captionIn: "Caption in",
  skip: "Skip to the caption",
  api: "API",
  home: "Oko, start again",

  photos: "Photos",
  addPhotos: "Add photos",
  removePhoto: (name) => `Remove ${name}`,
  photoNumber: (index, count, name) => `Photo ${index} of ${count}: ${name}`,
  pasted: "Pasted photo",
  taken: "Taken photo",
  photoWaits: "waiting",
  photoFailed: "no caption",
  cannotShow: "This browser cannot show this kind of file.",

  looking: "Looking at the photo…",
  waiting: "Waiting for its turn…",
  busy: (seconds) => `Oko is busy; trying again in ${seconds} s…`,
  announce: (caption) => `Caption: ${caption}`,
  announceWord: (word, percent) => `${word}, ${percent} sure`,
  walkHint: "Point at a word, or use ← and →, to see where Oko looked.",
  walkHintTouch: "Tap a word to see where Oko looked.",
  words: "Words of the caption",
  play: "Play the words",
  pause: "Pause",
  light: "Light",

  alternatives: "It could also be",
  score: (percent) => `Score ${percent}`,

  share: "Take it with you",
  copyAlt: "Copy as alt text",
  copyHtml: "Copy as <img alt>",
  downloadJson: "Download JSON",
  downloadPicture: "Download picture",
  copied: "Copied",
  saved: "Saved",
  copyFailed: "The browser did not allow copying.",
  pictureFailed: "The browser could not draw this picture.",

  details: "Details",
  tookEncoder: "Encoder",
  tookDecoder: "Decoder",
  tookTotal: "In all",
  cache: "Features",
  cacheStates: {
    hit: "remembered from before",
    miss: "computed now",
    bypass: "computed now, the cache is away",
  },
  picture: "Photo",
  models: "Models",
  request: "Request",
  milliseconds: (value) => `${Math.round(value).toLocaleString("en")} ms`,

  services: "Services",
  serviceNames: { gateway: "Gateway", encoder: "Encoder", decoder: "Decoder" },
  serviceStates: {
    ok: "fine",
    degraded: "working, with something missing",
    down: "not reachable",
    unknown: "not known yet",
  },

  cameraTitle: "Take a photo",
  cameraShoot: "Take the photo",
  cameraClose: "Close",
  cameraDenied: "The browser gave no access to a camera. Allow it in the address bar, or choose a photo.",

  tryAgain: "Try again",
  apiKey: "API key",
  useKey: "Use this key",
  problems: {
    unreachable: () =>
      "Oko cannot be reached. Check that the server is running and that you are connected, then try again.",
    interrupted: () => "The answer broke off half-way. Try again.",
    "not-an-image": () =>
      "This file is not a photo that Oko can read. JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF work.",
    "unsupported-media-type": () => "This kind of file is not taken. Send a photo.",
    "corrupt-image": () => "This photo is damaged or incomplete. Save it again and try once more.",
    "empty-image": () => "This file is empty. Choose another photo.",
    "too-many-pixels": (members) => {
      const pixels = numberOf(members, "max_pixels");
      return pixels === null
        ? "This photo has too many pixels. Scale it down and try again."
        : `This photo has more than ${megapixels(pixels, "en")} megapixels. Scale it down and try again.`;
    },
    "body-too-large": (members) => {
      const bytes = numberOf(members, "max_bytes");
      return bytes === null
        ? "This file is too large. Save the photo smaller and try again."
        : `This file is larger than ${megabytes(bytes, "en")} MB. Save the photo smaller and try again.`;
    },
    "upload-too-slow": () => "Sending the photo took too long. Try again with a better connection or a smaller photo.",
    "invalid-parameter": () => "The server did not understand the request. Reload the page and try again.",
    "unknown-language": () => "This server has no captions in this language. Choose another one.",
    unauthorized: () => "This server asks for an API key. Enter yours to go on.",
    forbidden: () => "This API key is not accepted. Check it and enter it again.",
    "rate-limited": () => "That was a lot of photos in a short time. Wait a moment, then try again.",
    overloaded: () => "Oko is very busy right now. Try again in a moment.",
    "service-unavailable": () => "A part of Oko is away. It usually comes back by itself; try again in a moment.",
    "model-mismatch": () => "Oko's models are being updated. Try again in a moment.",
    "shutting-down": () => "Oko is restarting. Try again in a moment.",
    "deadline-passed": () => "Oko did not manage it in time. Try again, it may be less busy now.",
    "internal-error": () => "Something went wrong on the server. Try again; if it stays, tell whoever runs it.",
    unknown: (members) => {
      const detail = members["detail"];
      return typeof detail === "string" && detail
        ? `The server said: ${detail}`
        : "Something unexpected happened. Try again.";
    },
  },
};
