/** What the screen that is open offers to the command palette: its things by name, and what it can do. */
import type { LucideIcon } from "lucide-react";
import { useEffect, useMemo } from "react";
import { create } from "zustand";

export interface Command {
  id: string;
  group: "steps" | "actions";
  label: string;
  /** Beside the name: a kind, or the keys that do the same. */
  aside?: string;
  icon?: LucideIcon;
  run: () => void;
}

const useLists = create<{ lists: readonly (readonly Command[])[] }>(() => ({ lists: [] }));

/** Offers these while the caller is on the screen. The list must be the same as long as nothing in it changes. */
export function useOffer(list: readonly Command[]): void {
  useEffect(() => {
    useLists.setState(({ lists }) => ({ lists: [...lists, list] }));
    return () => useLists.setState(({ lists }) => ({ lists: lists.filter((other) => other !== list) }));
  }, [list]);
}

export function useOffered(): readonly Command[] {
  const lists = useLists((state) => state.lists);
  return useMemo(() => lists.flat(), [lists]);
}
