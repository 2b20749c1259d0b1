import { i18n } from ".";

/** The catalogue of what step types and the functions of formulas are called; by the English text. */
export const STEPS = "steps";

export type StepArea =
  | "titles"
  | "descriptions"
  | "notes"
  | "fields"
  | "help"
  | "placeholders"
  | "options"
  | "groups"
  | "rows"
  | "functions"
  | "synonyms";

/** Has the words of the person's language at hand before a list of step types is shown. */
export const loadStepWords = () => i18n.loadNamespaces(STEPS);

/** A text of a step type in this language; itself where there are no words for exactly this text. */
export function stepWords<T extends string | null | undefined>(language: string, area: StepArea, text: T): T | string {
  if (!text) return text;
  const catalogue = i18n.getResourceBundle(language, STEPS) as Partial<Record<StepArea, Record<string, string>>> | undefined;
  const words = catalogue?.[area];
  return words && Object.hasOwn(words, text) ? (words[text] ?? text) : text;
}
