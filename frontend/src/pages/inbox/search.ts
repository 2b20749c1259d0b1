/** What the address of the inbox says. */
export interface InboxSearch {
  task?: string;
  who?: "named" | "groups" | "stand_in" | "anybody";
  /** later: what I have put off. */
  state?: "later" | "closed";
  run?: string;
  kind?: Kind;
  due?: DueFilter;
}

export const KINDS = ["approval", "form", "exception", "review"] as const;
export type Kind = (typeof KINDS)[number];

export const DUES = ["late", "today", "week"] as const;
export type DueFilter = (typeof DUES)[number];

/** Of what an address says about type and due date, what there is. */
export function narrowed(search: Record<string, unknown>): Pick<InboxSearch, "kind" | "due"> {
  const kind = KINDS.find((one) => one === search["kind"]);
  const due = DUES.find((one) => one === search["due"]);
  return { ...(kind ? { kind } : {}), ...(due ? { due } : {}) };
}

/** Whose an address means: `all` is another word for anybody's. */
export function whose(who: unknown): InboxSearch["who"] {
  if (who === "all") return "anybody";
  return who === "anybody" || who === "groups" || who === "named" || who === "stand_in" ? who : undefined;
}
