import { useState } from "react";

export const RAIL_KEY = "millrace.runRail";

/** The neighbouring runs are shown where there is room for all, unless the person chose otherwise. */
export function railWanted(width: number): boolean {
  try {
    const chosen = localStorage.getItem(RAIL_KEY);
    if (chosen) return chosen === "open";
  } catch {
    // No storage: room decides.
  }
  return width >= 1600;
}

const FOLLOW_KEY = "millrace.followRun";

/** Whether the view goes along with the step at work; until somebody says no, it does. */
export function useFollowing(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => {
    try {
      return localStorage.getItem(FOLLOW_KEY) !== "no";
    } catch {
      return true;
    }
  });
  const change = (next: boolean) => {
    setOn(next);
    try {
      localStorage.setItem(FOLLOW_KEY, next ? "yes" : "no");
    } catch {
      // Remembered until the page is closed.
    }
  };
  return [on, change];
}
