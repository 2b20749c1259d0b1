/** Rights in the order in which people read them: a right belongs to the thing that its name begins with. */
import type { RightView } from "../../api/schema.gen";

export const AREAS = ["workflows", "runs", "people", "data", "connections", "workspace"] as const;
export type Area = (typeof AREAS)[number];

const OF: Readonly<Record<string, Area>> = {
  workflow: "workflows",
  schedule: "workflows",
  run: "runs",
  event: "runs",
  task: "people",
  people: "people",
  absence: "people",
  file: "data",
  table: "data",
  connection: "connections",
};

/** The rights of each area, in the order of the server; areas without any are left out. */
export function byArea(rights: readonly RightView[]): { area: Area; rights: RightView[] }[] {
  const areaOf = (right: RightView): Area => OF[right.action.split(".")[0] ?? ""] ?? "workspace";
  return AREAS.map((area) => ({ area, rights: rights.filter((right) => areaOf(right) === area) })).filter(
    (one) => one.rights.length > 0,
  );
}
