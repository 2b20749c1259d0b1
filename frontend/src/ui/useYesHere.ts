import { useState } from "react";

/** A yes or no of this computer, kept under a key of its storage: yes, until somebody says no. */
export function useYesHere(key: string): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => {
    try {
      return localStorage.getItem(key) !== "no";
    } catch {
      return true;
    }
  });
  const change = (next: boolean): void => {
    setOn(next);
    try {
      localStorage.setItem(key, next ? "yes" : "no");
    } catch {
      // Remembered until the page is closed.
    }
  };
  return [on, change];
}
