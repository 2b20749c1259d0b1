/** When a question that is put off can come back, by this person's clock. */
export type LaterChoice = { id: "hour" | "tomorrow" | "monday"; at: Date };

const MORNING = 8;

function morning(now: Date, days: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING);
}

/** Nothing that comes to the same; nothing behind the end of the question's time. */
export function laterChoices(now: Date, endsAt: string | null): LaterChoice[] {
  const monday = (8 - now.getDay()) % 7 || 7;
  const all: LaterChoice[] = [
    { id: "hour", at: new Date(now.getTime() + 3_600_000) },
    { id: "tomorrow", at: morning(now, 1) },
    ...(monday > 1 ? [{ id: "monday" as const, at: morning(now, monday) }] : []),
  ];
  return all.filter(({ at }) => endsAt === null || at.getTime() < Date.parse(endsAt));
}
