/** What is handed over, as it is listed. */
import type { ThingView } from "../../api/schema.gen";

export interface Handful {
  kind: string;
  /** Why it cannot be; empty where it can. */
  why: string;
  count: number;
  found: ThingView[];
}

/** Things by kind and reason, in the order in which they come; `more` questions are not listed. */
export function byKind(things: readonly ThingView[], more: number): Handful[] {
  const found = new Map<string, Handful>();
  const put = (kind: string, why: string) => {
    const key = `${kind} ${why}`;
    const one = found.get(key) ?? { kind, why, count: 0, found: [] };
    found.set(key, one);
    return one;
  };
  for (const thing of things) {
    const one = put(thing.kind, thing.why ?? "");
    one.count += 1;
    one.found.push(thing);
  }
  if (more > 0) put("question", "").count += more;
  return [...found.values()];
}
