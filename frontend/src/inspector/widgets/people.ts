/** Who a step asks, as its setting has it: names and addresses with commas between them. */
import type { Askable } from "../../api/people";

export interface Choice {
  kind: "person" | "group" | "role";
  /** What stands in the setting. */
  value: string;
  label: string;
  /** How many are in the group. */
  count?: number;
}

export const ROLES = ["admin", "builder", "reviewer", "viewer"] as const;
const MOST_SHOWN = 8;

export function partsOf(text: string): string[] {
  return text
    .split(/[,;\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

export function choicesOf(askable: Askable | undefined, roleWords: (role: (typeof ROLES)[number]) => string): Choice[] {
  if (!askable) return [];
  return [
    ...askable.groups.map((group): Choice => ({ kind: "group", value: group.name, label: group.name, count: group.count })),
    ...askable.people.map((one): Choice => ({ kind: "person", value: one.email, label: one.name || one.email })),
    ...ROLES.map((role): Choice => ({ kind: "role", value: `role:${role}`, label: roleWords(role) })),
  ];
}

/** What fits to what was typed and is not chosen yet: what begins so first. */
export function matching(all: readonly Choice[], chosen: readonly string[], text: string): Choice[] {
  const wanted = text.trim().toLowerCase();
  const taken = new Set(chosen.map((part) => part.toLowerCase()));
  const rank = (choice: Choice): number => {
    const label = choice.label.toLowerCase();
    if (label.startsWith(wanted)) return 0;
    if (label.split(" ").some((word) => word.startsWith(wanted))) return 1;
    return label.includes(wanted) || choice.value.toLowerCase().includes(wanted) ? 2 : 3;
  };
  return all
    .filter((choice) => !taken.has(choice.value.toLowerCase()) && rank(choice) < 3)
    .map((choice, index) => ({ choice, key: rank(choice) * 10_000 + index }))
    .sort((left, right) => left.key - right.key)
    .slice(0, MOST_SHOWN)
    .map(({ choice }) => choice);
}
