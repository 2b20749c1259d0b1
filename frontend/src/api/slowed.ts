import { useEffect, useState } from "react";

/** The value, renewed at most once in so many ms: for what is asked anew whenever it changes, and changes many times a second. */
export function useSlowed<T>(value: T, ms: number): T {
  // What stands at first was just asked for.
  const [shown, setShown] = useState(() => ({ value, at: Date.now() }));
  const waits = !Object.is(value, shown.value);
  useEffect(() => {
    if (!waits) return;
    const timer = setTimeout(() => setShown({ value, at: Date.now() }), Math.max(0, shown.at + ms - Date.now()));
    return () => clearTimeout(timer);
  }, [value, waits, shown.at, ms]);
  return shown.value;
}
