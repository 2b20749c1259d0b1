/** What the address of the audit log says: whose log, and which rows of it. */
import type { AuditSearchShape, AuditViewShape } from "../../api/schema.gen";
import type { SavedView } from "../views/SavedViews";

/** Which rows. `verb`: several stand with commas between them; `since`: so long ago; `from`, `to`: days, both included. */
export interface AuditFilter {
  actor?: string;
  verb?: string;
  kind?: string;
  object?: string;
  since?: Ago;
  from?: string;
  to?: string;
  q?: string;
}

/** `view`: a saved search, whose rows are meant; `all`: everything, though the log is opened with another. */
export interface AuditSearch extends AuditFilter {
  scope?: "installation";
  view?: string;
}

export const AGO = { "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000, "90d": 7_776_000_000 } as const;
export type Ago = keyof typeof AGO;
export const EVERYTHING = "all";

const NAMES = ["actor", "verb", "kind", "object", "since", "from", "to", "q"] as const;
const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);
const day = (value: unknown): string | undefined => (typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) ? value : undefined);
const ago = (value: unknown): Ago | undefined => (typeof value === "string" && Object.hasOwn(AGO, value) ? (value as Ago) : undefined);

/** Without what is not said. */
function given<T extends object>(search: { [Name in keyof T]?: T[Name] | undefined }): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value)) as T;
}

export function auditSearch(search: Record<string, unknown>): AuditSearch {
  const since = ago(search.since);
  return given<AuditSearch>({
    scope: search.scope === "installation" ? "installation" : undefined,
    view: text(search.view),
    actor: text(search.actor),
    verb: text(search.verb),
    kind: text(search.kind),
    object: text(search.object),
    since,
    from: since ? undefined : day(search.from),
    to: since ? undefined : day(search.to),
    q: text(search.q),
  });
}

export function filterOf(search: AuditSearch): AuditFilter {
  return given<AuditFilter>(Object.fromEntries(NAMES.map((name) => [name, search[name]])));
}

export function sameFilter(one: AuditFilter, other: AuditFilter): boolean {
  return NAMES.every((name) => (one[name] ?? "") === (other[name] ?? ""));
}

/** Some of it changed; empty ones leave the address. Days and "so long ago" rule each other out. */
export function withPart(before: AuditFilter, part: { [Name in keyof AuditFilter]?: AuditFilter[Name] | "" | undefined }): AuditFilter {
  const found = { ...before, ...part };
  if (part.since) found.from = found.to = undefined;
  else if (part.from || part.to) found.since = undefined;
  return given<AuditFilter>(found as AuditFilter);
}

export function fromSaved(saved: AuditSearchShape): AuditFilter {
  return given<AuditFilter>({
    actor: saved.actor ?? undefined,
    verb: saved.verb.join(",") || undefined,
    kind: saved.kind ?? undefined,
    object: saved.object ?? undefined,
    since: ago(saved.since),
    from: day(saved.since),
    to: day(saved.until),
    q: saved.q ?? undefined,
  });
}

/** What is saved of it. */
export function toSaved({ verb, since, from, to, ...rest }: AuditFilter): Partial<AuditSearchShape> {
  return { ...rest, ...(verb ? { verb: verb.split(",") } : {}), ...(since || from ? { since: since ?? from ?? null } : {}), ...(to ? { until: to } : {}) };
}

export type AuditView = SavedView<AuditFilter>;

export function viewsOf(saved: readonly AuditViewShape[]): AuditView[] {
  return saved.map((view) => ({ ...view, search: fromSaved(view.search) }));
}

/** Which rows an address means: what it says, the saved search that it names, or the one the log is opened with.
 * `gone`: it names one that nobody can choose here. */
export function meant(search: AuditSearch, views: readonly AuditView[]): { filter: AuditFilter; gone: boolean } {
  const filter = filterOf(search);
  if (Object.keys(filter).length > 0 || search.view === EVERYTHING) return { filter, gone: false };
  const view = views.find((one) => (search.view ? one.id === search.view : one.first));
  return { filter: view?.search ?? {}, gone: search.view !== undefined && view === undefined };
}

/** The address of these rows: nothing where the log is opened with everything anyway. */
export function addressOf(filter: AuditFilter, views: readonly AuditView[]): AuditSearch {
  const none = Object.keys(filter).length === 0;
  return none && views.some((one) => one.first) ? { view: EVERYTHING } : filter;
}

/** The address once some of the rows that it means are to be others. */
export function changed(before: AuditSearch, part: Parameters<typeof withPart>[1], views: readonly AuditView[]): AuditSearch {
  return addressOf(withPart(meant(before, views).filter, part), views);
}
