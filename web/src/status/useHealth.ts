import { useEffect, useState } from "react";
import { fetchHealth } from "../api/oko";
import type { State } from "../api/types";

const EVERY_MS = 15_000;

export type Service = "gateway" | "encoder" | "decoder";
export type Services = Readonly<Record<Service, State | "unknown">>;

const UNKNOWN: Services = { gateway: "unknown", encoder: "unknown", decoder: "unknown" };
const AWAY: Services = { gateway: "down", encoder: "unknown", decoder: "unknown" };

/** How the three services are; asked now and then while the page is in view. */
export function useHealth(): Services {
  const [services, setServices] = useState(UNKNOWN);
  useEffect(() => {
    const abort = new AbortController();
    const ask = async () => {
      if (document.hidden) return;
      try {
        const { parts } = await fetchHealth(abort.signal);
        setServices({
          gateway: parts["process"] ?? "ok", // the gateway names itself only while it leaves
          encoder: parts["encoder"] ?? "unknown",
          decoder: parts["decoder"] ?? "unknown",
        });
      } catch {
        if (!abort.signal.aborted) setServices(AWAY);
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    document.addEventListener("visibilitychange", ask);
    return () => {
      abort.abort();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, []);
  return services;
}
