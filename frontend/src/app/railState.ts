import { create } from "zustand";

const KEY = "millrace.rail";

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) === "open";
  } catch {
    return false;
  }
}

/** Whether the left rail shows labels; remembered on this computer. */
export const useRail = create<{ open: boolean; toggle: () => void }>((set, get) => ({
  open: stored(),
  toggle() {
    const open = !get().open;
    try {
      localStorage.setItem(KEY, open ? "open" : "closed");
    } catch {
      // Remembered until the page is closed.
    }
    set({ open });
  },
}));
