import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const gateway = "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    // The gateway serves this folder; it is not committed.
    outDir: "../services/gateway/static",
    emptyOutDir: true,
    target: "es2022",
    // The page's Content-Security-Policy has no `data:`; every asset is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // `npm run dev` works on the page while `make run` answers its requests.
  server: { proxy: { "/v1": gateway, "/health": gateway, "/docs": gateway } },
});
