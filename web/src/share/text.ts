/** "a dog runs" → "A dog runs.": captions come in lower case, alt texts are read as sentences. */
export function altText(caption: string, language: string): string {
  const [first = "", ...rest] = caption;
  return `${first.toLocaleUpperCase(language)}${rest.join("")}.`;
}

/** An `<img>` to paste into a page. */
export function imgTag(fileName: string, caption: string, language: string): string {
  return `<img src="${escaped(fileName)}" alt="${escaped(altText(caption, language))}" lang="${escaped(language)}">`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** "IMG 1.jpeg", "json" → "IMG 1.json" */
export function withEnding(fileName: string, ending: string): string {
  return `${fileName.replace(/\.[^.]+$/, "") || "oko"}.${ending}`;
}
