import { ChooseButton, CameraButton } from "./gallery/pick";
import { useTexts } from "./language/PageLanguage";
import type { ExampleName } from "./language/texts";

const EXAMPLES: readonly ExampleName[] = ["astronaut", "cat", "coffee", "rocket"];

interface WelcomeProps {
  readonly onPhotos: (photos: readonly File[]) => void;
}

/** The first screen. */
export function Welcome({ onPhotos }: WelcomeProps) {
  const texts = useTexts();
  const tryExample = async (name: ExampleName) => {
    const response = await fetch(`/examples/${name}.webp`).catch(() => null);
    if (!response?.ok) return;
    onPhotos([new File([await response.blob()], `${name}.webp`, { type: "image/webp" })]);
  };
  return (
    <main className="welcome" id="main">
      <h1>{texts.title}</h1>
      <p className="lead">{texts.lead}</p>
      <div className="dropzone">
        <p className="drop-here">{texts.dropHere}</p>
        <div className="row">
          <ChooseButton onPhotos={onPhotos} />
          <CameraButton onPhotos={onPhotos} />
        </div>
        <p className="quiet with-pointer">{texts.pasteHint}</p>
      </div>
      <section className="examples" aria-labelledby="examples">
        <h2 id="examples">{texts.examples}</h2>
        <ul>
          {EXAMPLES.map((name) => (
            <li key={name}>
              <button
                type="button"
                aria-label={texts.exampleNames[name]}
                title={texts.exampleNames[name]}
                onClick={() => void tryExample(name)}
              >
                <img src={`/examples/${name}-small.webp`} alt="" width={168} height={168} />
              </button>
            </li>
          ))}
        </ul>
      </section>
    </main>
  );
}
