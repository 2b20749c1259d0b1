/** What the address of the calendars says: which one, of which year, and as what. Without a word: the first, of this year, as a list. */
export interface CalendarSearch {
  calendar?: string;
  year?: number;
  view?: "months";
}

export const FIRST_YEAR = 1970;
export const LAST_YEAR = 2100;

export function calendarSearch(search: Record<string, unknown>): CalendarSearch {
  const { calendar, year, view } = search;
  return {
    ...(typeof calendar === "string" && calendar ? { calendar } : {}),
    ...(typeof year === "number" && Number.isInteger(year) && year >= FIRST_YEAR && year <= LAST_YEAR ? { year } : {}),
    ...(view === "months" ? { view } : {}),
  };
}
