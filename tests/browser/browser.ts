/** What the tests and the screenshots have in common: Debian's Chromium and the real services. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PlaywrightTestConfig } from "@playwright/test";

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
export const PYTHON = `${REPOSITORY}.venv/bin/python`;

// Not the ports of `make run`, so that both can run at the same time.
const GATEWAY_PORT = Number(process.env["OKO_BROWSER_PORT"] ?? 18_100);
export const GATEWAY = `http://127.0.0.1:${GATEWAY_PORT}`;
export const DECODER = `http://127.0.0.1:${GATEWAY_PORT + 2}`;

export const services: NonNullable<PlaywrightTestConfig["webServer"]> = {
  command: `exec ${PYTHON} -m oko.serve`,
  cwd: REPOSITORY,
  env: {
    OKO_GATEWAY_PORT: String(GATEWAY_PORT),
    OKO_ENCODER_PORT: String(GATEWAY_PORT + 1),
    OKO_DECODER_PORT: String(GATEWAY_PORT + 2),
    OKO_LOG_LEVEL: "warning",
  },
  url: `${GATEWAY}/health/ready`,
  timeout: 120_000,
  stdout: "pipe", // warnings, and which service ended when one does
  gracefulShutdown: { signal: "SIGTERM", timeout: 15_000 },
};

export const chromium = {
  executablePath: chromiumPath(),
  args: [
    // The sandbox needs a user other than root.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
  ],
};

function chromiumPath(): string {
  const places = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"];
  const found = places.find((place) => place && existsSync(place));
  if (!found) throw new Error("No Chromium: install Debian's `chromium`, or set CHROMIUM=path.");
  return found;
}
