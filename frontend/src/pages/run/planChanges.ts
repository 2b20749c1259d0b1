/** In which of its fields a step is not what it was, in words. Pure. */
import type { TFunction } from "i18next";

import type { StepSpec } from "../../api/types";
import { fieldsOf, words } from "../../graph/schema";

/** The names of changed fields as people know them: those of a step's settings by their titles. */
export function fieldNames(fields: readonly string[], spec: StepSpec | undefined, t: TFunction<"runs">): string[] {
  const known = new Map((spec ? fieldsOf(spec.config_schema) : []).map((field) => [field.name, field.title]));
  const told = fields.map((field) => {
    const [head = "", name] = field.split(".", 2);
    if (head === "config" && name !== undefined) return known.get(name) ?? words(name);
    if (head === "settings") return t("retry.changes.settings");
    return head === "name" ? t("retry.changes.name") : head === "type" ? t("retry.changes.type") : words(head);
  });
  return [...new Set(told)];
}
