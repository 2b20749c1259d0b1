/** What the address of the audit log says: whose log, and which rows of it. */
export interface AuditSearch {
  scope?: "installation";
  actor?: string;
  verb?: string;
  from?: string;
  to?: string;
  q?: string;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);
const day = (value: unknown): string | undefined => (typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) ? value : undefined);

export function auditSearch(search: Record<string, unknown>): AuditSearch {
  const found = { actor: text(search.actor), verb: text(search.verb), q: text(search.q), from: day(search.from), to: day(search.to) };
  return {
    ...(search.scope === "installation" ? { scope: "installation" as const } : {}),
    ...(Object.fromEntries(Object.entries(found).filter(([, value]) => value)) as AuditSearch),
  };
}
