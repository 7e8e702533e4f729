import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { PageLanguageProvider } from "./language/PageLanguage";
import "./styles/fonts.css";
import "./styles/base.css";
import "./styles/chrome.css";
import "./styles/welcome.css";
import "./styles/viewer.css";
import "./styles/caption.css";

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <PageLanguageProvider>
        <App />
      </PageLanguageProvider>
    </StrictMode>,
  );
