/** Days of a calendar's own as a form has them: with inputs of dates, which always have a year. */
import type { CalendarDayBody } from "../../api/calendars";

export interface DayRow {
  key: number;
  from: string;
  until: string;
  yearly: boolean;
  name: string;
  works: boolean;
}

/** One that every day of the calendar has. */
const LEAP = 2028;
const LEAP_DAY = "02-29";

export function rowOf(day: CalendarDayBody, key: number, year: string): DayRow {
  const until = day.until ?? "";
  const yearly = day.day.length === 5;
  // Over the end of the year: it ends in the next one.
  const over = until && until < day.day ? 1 : 0;
  // Both in this year, or in one in which there is such a day.
  const begins = day.day === LEAP_DAY ? LEAP : until === LEAP_DAY ? LEAP - over : Number(year);
  const from = yearly ? `${begins}-${day.day}` : day.day;
  return { key, from, until: yearly && until ? `${begins + over}-${until}` : until, yearly, name: day.name ?? "", works: day.works ?? false };
}

/** Of every year, and longer than one: its end would be taken for one of the same year. */
export function isTooLong(row: DayRow): boolean {
  if (!row.yearly || !row.from || !row.until) return false;
  const next = String(Number(row.from.slice(0, 4)) + 1).padStart(4, "0");
  return row.until >= `${next}${row.from.slice(4)}`;
}

export function dayOfRow(row: DayRow): CalendarDayBody {
  const part = (day: string): string => (row.yearly ? day.slice(5) : day);
  return { day: part(row.from), until: row.until && row.until !== row.from ? part(row.until) : "", name: row.name.trim(), works: row.works };
}

/** Months with their weeks; each week has seven places, of which some belong to no day of the month. */
export function weeksOf(year: number, month: number): (string | null)[][] {
  const first = new Date(Date.UTC(year, month, 1));
  const count = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const before = (first.getUTCDay() + 6) % 7;
  const places = Array.from({ length: Math.ceil((before + count) / 7) * 7 }, (_, place) => {
    const day = place - before + 1;
    return day < 1 || day > count ? null : `${String(year).padStart(4, "0")}-${String(month + 1).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
  });
  return Array.from({ length: places.length / 7 }, (_, week) => places.slice(week * 7, week * 7 + 7));
}
