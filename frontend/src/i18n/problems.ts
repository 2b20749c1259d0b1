import { i18n } from ".";
import { isSource, known, retell, type Value } from "./server";
import { stepWords } from "./steps";

/** The catalogue of what the server finds wrong with a workflow, by code. English needs none: the server speaks it. */
export const problemCatalogues = (): readonly string[] => (isSource() ? [] : ["problems"]);

/** Sentences that stand within others, by hole: where one is not known, the whole stays in English, for half of it in
 * another language would read worse. */
const WITHIN = new Set(["why", "json", "what", "wanted", "day", "fault"]);
/** Words that may be anybody's own. */
const WORDS = new Set(["value", "label", "operator"]);
const THOUSANDS = /^\d{1,3}(,\d{3})+$/;

const inHoles: Value = (hole, text) => {
  if (hole === "field") return stepWords(i18n.language, "fields", text);
  if (WITHIN.has(hole)) return known("problems", hole, text, inHoles);
  if (WORDS.has(hole)) return retell("problems", hole, text, inHoles);
  return THOUSANDS.test(text) ? Number(text.replaceAll(",", "")).toLocaleString(i18n.language) : text;
};

/** What is wrong with a workflow and what to do, which the server says in English, in the person's language. */
export const problemSentence = (problem: { code: string; message: string }): string => retell("problems", problem.code, problem.message, inHoles);

/** What is wrong with a schedule, where it is not said of a step of a workflow. */
export const scheduleProblem = (message: string): string => problemSentence({ code: "schedule", message });
