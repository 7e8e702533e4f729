import { EyeMark } from "./icons";
import { Choice } from "./language/Choice";
import { usePageLanguage } from "./language/PageLanguage";
import { TEXTS } from "./language/texts";

const LANGUAGES = [
  { value: "en", label: "EN", name: TEXTS.en.name, lang: "en" },
  { value: "uk", label: "УК", name: TEXTS.uk.name, lang: "uk" },
];

export function Header({ onHome }: { onHome: () => void }) {
  const { code, texts, choose } = usePageLanguage();
  return (
    <header className="header">
      <a className="skip" href="#main">
        {texts.skip}
      </a>
      <button type="button" className="brand" aria-label={texts.home} onClick={onHome}>
        <EyeMark />
        <span>{texts.brand}</span>
      </button>
      <nav className="row">
        <a href="/docs">{texts.api}</a>
        <Choice
          className="small"
          label={texts.pageLanguage}
          options={LANGUAGES}
          value={code}
          onChange={(value) => choose(value === "uk" ? "uk" : "en")}
        />
      </nav>
    </header>
  );
}
