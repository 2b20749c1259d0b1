/** Finding a step type by what people call it. */
import type { Category, StepSpec } from "../../graph";

function plain(text: string): string {
  return text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
}

/** How well a step type answers a search: 0 is not at all. */
export function score(spec: StepSpec, query: string): number {
  const wanted = plain(query).trim();
  if (!wanted) return 1;
  const title = plain(spec.title);
  const synonyms = (spec.synonyms ?? []).map(plain);
  let total = 0;
  for (const word of wanted.split(/\s+/)) {
    const best = wordScore(word, title, synonyms, plain(spec.description), spec.type);
    if (best === 0) return 0;
    total += best;
  }
  if (title === wanted || synonyms.includes(wanted)) total += 50;
  return total;
}

function wordScore(word: string, title: string, synonyms: readonly string[], description: string, type: string): number {
  if (title.startsWith(word)) return 40;
  if (title.split(/[\s/-]+/).some((part) => part.startsWith(word))) return 30;
  if (synonyms.some((synonym) => synonym.startsWith(word))) return 25;
  if (synonyms.some((synonym) => synonym.split(/\s+/).some((part) => part.startsWith(word)))) return 20;
  if (word.length >= 3 && (title.includes(word) || type.includes(word))) return 12;
  if (word.length >= 3 && description.split(/[\s,.]+/).some((part) => part.startsWith(word))) return 6;
  return 0;
}

export function findSteps(specs: readonly StepSpec[], query: string): StepSpec[] {
  return specs
    .map((spec) => ({ spec, points: score(spec, query) }))
    .filter((found) => found.points > 0)
    .sort((a, b) => b.points - a.points || a.spec.title.localeCompare(b.spec.title))
    .map((found) => found.spec);
}

export const CATEGORY_ORDER: readonly Category[] = ["start", "app", "logic", "loop", "people", "data"];

export function groupByCategory(specs: readonly StepSpec[]): { category: Category; specs: StepSpec[] }[] {
  return CATEGORY_ORDER.map((category) => ({ category, specs: specs.filter((spec) => spec.category === category) })).filter(
    (group) => group.specs.length > 0,
  );
}

/** What often follows a kind of step, best first; used until there is something to count. */
const FOLLOWERS: Record<string, readonly string[]> = {
  start: ["data.edit_fields", "flow.decision", "http.request"],
  data: ["flow.decision", "http.request", "email.send"],
  app: ["flow.decision", "email.send", "data.edit_fields"],
  logic: ["http.request", "email.send", "data.edit_fields"],
};

/** Step types likely to come next: what followed such steps in this workflow, then what often does. */
export function suggest(after: StepSpec | undefined, specs: readonly StepSpec[], pairs: readonly [string, string][]): StepSpec[] {
  const usable = specs.filter((spec) => (after ? !spec.trigger : spec.trigger));
  if (!after) return usable.slice(0, 3);
  const counts = new Map<string, number>();
  for (const [from, to] of pairs) if (from === after.type) counts.set(to, (counts.get(to) ?? 0) + 10);
  const usual = FOLLOWERS[after.category] ?? FOLLOWERS["app"] ?? [];
  usual.forEach((name, at) => {
    const spec = usable.find((other) => other.type.startsWith(`${name}@`));
    if (spec) counts.set(spec.type, (counts.get(spec.type) ?? 0) + 5 - at);
  });
  return usable
    .filter((spec) => counts.has(spec.type) && spec.type !== after.type)
    .sort((a, b) => (counts.get(b.type) ?? 0) - (counts.get(a.type) ?? 0))
    .slice(0, 3);
}

/** Only the newest version of each step type is offered. */
export function newest(specs: Readonly<Record<string, StepSpec>>): StepSpec[] {
  const best = new Map<string, StepSpec>();
  for (const spec of Object.values(specs)) {
    const name = spec.type.split("@")[0] ?? spec.type;
    const known = best.get(name);
    if (!known || known.version < spec.version) best.set(name, spec);
  }
  return [...best.values()];
}
