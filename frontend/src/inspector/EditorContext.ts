/** What every part of an open editor shares. */
import { createContext, useContext } from "react";
import { useStore } from "zustand";

import type { EditorState, EditorStore, Json } from "../graph";

export interface FormulaFunction {
  name: string;
  group: string;
  signature: string;
  help: string;
  /** Its help as the server says it, to be found by. */
  also?: string;
  example: string;
  result: string;
}

export interface EditorEnvironment {
  store: EditorStore;
  workspace: string;
  workflow: string;
  timeZone: string;
  /** Outputs of the latest run or test by step key. */
  samples: Readonly<Record<string, Json>>;
  functions: readonly FormulaFunction[];
  /** Goes to a step and, if given, to one of its fields. */
  goTo(node: string, field?: string | null): void;
  /** Tests up to a result; opens the test dialog. */
  test(): void;
  /** Asks for the step that undoes this one. */
  addUndo(step: string, place: { clientX: number; clientY: number }): void;
  /** Removes what is selected, asking first when its data are used elsewhere. */
  remove(): void;
}

const Context = createContext<EditorEnvironment | null>(null);
export const EditorProvider = Context.Provider;

export function useEnvironment(): EditorEnvironment {
  const environment = useContext(Context);
  if (!environment) throw new Error("a part of the editor outside of an editor");
  return environment;
}

export function useEditor<T>(select: (state: EditorState) => T): T {
  return useStore(useEnvironment().store, select);
}

