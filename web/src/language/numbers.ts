import type { Members } from "./texts";

/** A member of a problem document as a number to show, or null when there is none. */
export function numberOf(members: Members, name: string): number | null {
  const value = members[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function megabytes(bytes: number, locale: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(bytes / 2 ** 20);
}

export function megapixels(pixels: number, locale: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(pixels / 1e6);
}

/** 0.834 → "83%". Never 0 % or 100 % for what is in between. */
export function percent(share: number, locale: string): string {
  const format = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  if (share < 0.01) return `<${format.format(0.01)}`;
  return format.format(share < 1 ? Math.min(0.99, share) : 1);
}
