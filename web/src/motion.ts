/** Does the person want things to stay still? Asked at the moment when something would move. */
export function reducedMotion(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
