import { useCallback, useState } from "react";

const PREFIX = "oko:";

/** A small choice that is remembered in this browser, where it allows that. */
export function usePreference(name: string, initial: string): [string, (value: string) => void] {
  const [value, setValue] = useState(() => read(name) ?? initial);
  const change = useCallback(
    (next: string) => {
      setValue(next);
      write(name, next);
    },
    [name],
  );
  return [value, change];
}

// Storage throws when the person has turned it off; the choice then lasts as long as the page.
function read(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    return;
  }
}
