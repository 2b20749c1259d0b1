import { useYesHere } from "../../ui/useYesHere";

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

/** Whether the view goes along with the step at work; until somebody says no, it does. */
export const useFollowing = (): [boolean, (on: boolean) => void] => useYesHere("millrace.followRun");
