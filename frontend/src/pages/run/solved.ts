import type { TFunction } from "i18next";

import type { Solved } from "../../api/types";

/** How something that failed was settled, or that it was skipped, and by whom. */
export function solvedBy({ how, by }: Solved, t: TFunction<"items">): string {
  // Neither a program nor the run around it has a name.
  const named = by !== "" && by !== "api" && by !== "run";
  return named ? t(`items:solved.${how}By`, { by }) : t(`items:solved.${how}`);
}
