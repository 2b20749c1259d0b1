/** Where runs stand, and the search that finds those of a number. */
import type { Standing } from "../../api/runSearch";
import { condition } from "../runs/query";
import type { RunListSearch } from "../runs/search";

export const KINDS = ["running", "waiting", "failed"] as const;
export type Kind = (typeof KINDS)[number];

/** In which ways runs stand at a step. */
export function kindsOf(one: Standing | undefined): Kind[] {
  return KINDS.filter((kind) => one !== undefined && one[kind] > 0);
}

/** Exactly the runs of a number: live ones that stand so at this step, or all that stand there. */
export function searchOf(node: string, kind: Kind | "any" = "any"): Pick<RunListSearch, "q" | "mode"> {
  return { q: `${condition("step", "=", node)} ${condition("stands", ":", kind)}`, mode: "live" };
}
