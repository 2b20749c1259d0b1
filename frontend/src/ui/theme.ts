/** Light, dark or like the system. `public/assets/theme.js` applies the same choice before the first paint. */
import { useSyncExternalStore } from "react";
import { create } from "zustand";

export type ThemeChoice = "light" | "dark" | "system";
const KEY = "millrace.theme";

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY);
    if (value === "light" || value === "dark") return value;
  } catch {
    // Storage can be forbidden; the system's choice then holds.
  }
  return "system";
}

/** Whether the person chose on this computer, be it "like the system". */
export function themeIsChosen(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

interface ThemeState {
  choice: ThemeChoice;
  choose: (choice: ThemeChoice) => void;
}

export const useThemeChoice = create<ThemeState>((set) => ({
  choice: stored(),
  choose(choice) {
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // The choice then lasts until the page is closed.
    }
    set({ choice });
  },
}));

const systemIsDark = () => window.matchMedia?.("(prefers-color-scheme: dark)").matches ?? false;

function watchSystem(changed: () => void): () => void {
  const query = window.matchMedia?.("(prefers-color-scheme: dark)");
  query?.addEventListener("change", changed);
  return () => query?.removeEventListener("change", changed);
}

/** What is painted now: light or dark. */
export function useTheme(): "light" | "dark" {
  const choice = useThemeChoice((state) => state.choice);
  const dark = useSyncExternalStore(watchSystem, systemIsDark, () => false);
  return choice === "system" ? (dark ? "dark" : "light") : choice;
}
