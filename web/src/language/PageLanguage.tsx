import { createContext, use, useEffect, useMemo, type ReactNode } from "react";
import { usePreference } from "../preference";
import { TEXTS, type PageLanguageCode, type Texts } from "./texts";

interface PageLanguage {
  readonly code: PageLanguageCode;
  readonly texts: Texts;
  readonly choose: (code: PageLanguageCode) => void;
}

const Context = createContext<PageLanguage | null>(null);

/** The language of the page: what was chosen before, else what the browser prefers. */
export function PageLanguageProvider({ children }: { children: ReactNode }) {
  const [stored, choose] = usePreference("page-language", preferred());
  const code: PageLanguageCode = stored === "uk" ? "uk" : "en";
  useEffect(() => {
    document.documentElement.lang = code;
  }, [code]);
  const value = useMemo(() => ({ code, texts: TEXTS[code], choose }), [code, choose]);
  return <Context value={value}>{children}</Context>;
}

export function usePageLanguage(): PageLanguage {
  const language = use(Context);
  if (!language) throw new Error("usePageLanguage outside PageLanguageProvider");
  return language;
}

export function useTexts(): Texts {
  return usePageLanguage().texts;
}

function preferred(): PageLanguageCode {
  const codes = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  const known = codes.find((code): code is PageLanguageCode => code === "en" || code === "uk");
  return known ?? "en";
}
