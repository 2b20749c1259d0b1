import { useState } from "react";

const KEY = "millrace.liveRuns";

/** Whether the list changes while it is read; it does until somebody at this computer says no. */
export function useLiveChoice(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => {
    try {
      return localStorage.getItem(KEY) !== "no";
    } catch {
      return true;
    }
  });
  const change = (next: boolean): void => {
    setOn(next);
    try {
      localStorage.setItem(KEY, next ? "yes" : "no");
    } catch {
      // Remembered until the page is closed.
    }
  };
  return [on, change];
}
