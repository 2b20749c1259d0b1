/** What a new step starts with beyond the defaults of its type: the workspace's time zone, the only connection that fits. */
import type { Connection } from "../../api/types";
import { fieldsOf, isEmpty, type StepSpec } from "../../graph";

export interface Surroundings {
  timeZone: string;
  connections: readonly Pick<Connection, "id" | "kind">[];
}

export function prefilled(spec: StepSpec, { timeZone, connections }: Surroundings): StepSpec {
  const defaults = { ...spec.defaults };
  for (const field of fieldsOf(spec.config_schema)) {
    if (field.hints.widget === "timezone" && (isEmpty(defaults[field.name]) || defaults[field.name] === "UTC")) defaults[field.name] = timeZone;
    if (field.hints.widget === "connection" && field.required && isEmpty(defaults[field.name])) {
      const fitting = connections.filter((connection) => field.hints.kinds?.includes(connection.kind));
      if (fitting.length === 1 && fitting[0] && !field.hints.showIf) defaults[field.name] = fitting[0].id;
    }
  }
  return { ...spec, defaults };
}
