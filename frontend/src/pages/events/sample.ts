import { isJsonObject, type JsonObject } from "../../graph";
import { parseJson } from "../../inspector/jsonText";

/** An event's body, handed to the test of its workflow within this tab. */
const KEY = "millrace.sample.";

export function keepSample(workflow: string, body: string): void {
  try {
    sessionStorage.setItem(KEY + workflow, body);
  } catch {
    // Storage can be forbidden: the test then begins as always.
  }
}

export function keptSample(workflow: string): string | null {
  try {
    return sessionStorage.getItem(KEY + workflow);
  } catch {
    return null;
  }
}

/** What a kept sample says for these fields of a form; of files nothing, which belong to the run that had them. */
export function answers(fields: readonly { name: string; type: string }[], sample: string | null): JsonObject {
  const parsed = sample === null ? null : parseJson(sample);
  if (!parsed?.ok || !isJsonObject(parsed.value)) return {};
  const given = parsed.value;
  return Object.fromEntries(fields.flatMap(({ name, type }) => (given[name] === undefined || type === "table" ? [] : [[name, given[name]]])));
}
