/** Where the lines and bars of a chart come to stand, its ticks, and its numbers as CSV: nothing of React. */

export interface Series {
  key: string;
  name: string;
  /** One for each step; null where there is none. */
  values: (number | null)[];
}

const STEPS = [1, 2, 2.5, 5, 10];
/** Of lengths of time, in milliseconds: so that ticks are whole seconds, minutes, hours. */
const TIME_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5, 432e5, 864e5, 1728e5, 6048e5];

/** The ends of a few equal steps from 0 to at least `most`. */
export function ticks(most: number, time = false, wanted = 4): number[] {
  const least = Math.max(most, 1) / wanted;
  let step = time ? TIME_STEPS.find((one) => one >= least) : undefined;
  if (step === undefined) {
    const power = 10 ** Math.floor(Math.log10(least));
    step = (STEPS.find((one) => one * power >= least) ?? 10) * power;
  }
  // Counts have no halves.
  if (!time) step = Math.max(1, Math.ceil(step));
  return Array.from({ length: Math.max(1, Math.ceil(Math.max(most, 1) / step)) + 1 }, (_, index) => index * (step ?? 1));
}

/** The highest value; of stacked series the highest sum. */
export function highest(series: readonly Series[], stacked: boolean): number {
  const length = series[0]?.values.length ?? 0;
  let most = 0;
  for (let index = 0; index < length; index++) {
    const here = series.map((one) => one.values[index] ?? 0);
    most = Math.max(most, stacked ? here.reduce((sum, one) => sum + one, 0) : Math.max(...here));
  }
  return most;
}

/** A line through the values; where there are none it breaks off. Alone between two gaps, a value is a short stroke. */
export function pathOf(values: readonly (number | null)[], x: (index: number) => number, y: (value: number) => number): string {
  const parts: string[] = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const begins = values[index - 1] === null || index === 0;
    const alone = begins && (values[index + 1] ?? null) === null;
    if (alone) parts.push(`M${round(x(index) - 2)} ${round(y(value))}h4`);
    else parts.push(`${begins ? "M" : "L"}${round(x(index))} ${round(y(value))}`);
  });
  return parts.join("");
}

/** The steps that are labelled: at round times where they are short, else at equal distances; at most so many. */
export function labelled(at: readonly string[], stepMs: number, most: number): number[] {
  const all = at.map((_, index) => index);
  const width = Math.ceil(at.length / most) * stepMs;
  const even = TIME_STEPS.find((one) => one >= width && one % stepMs === 0 && one <= 36e5);
  if (even !== undefined) return all.filter((index) => Date.parse(at[index] ?? "") % even === 0);
  const every = Math.max(1, Math.ceil(at.length / most));
  return all.filter((index) => index % every === Math.floor(every / 2));
}

export const round = (value: number) => Math.round(value * 10) / 10;

/** As spreadsheets read it: a comma between, quotes where they are needed, and nothing that would be a formula. */
export function csvOf(rows: readonly (readonly (string | number | null)[])[]): string {
  const cell = (value: string | number | null) => {
    if (value === null) return "";
    if (typeof value === "number") return String(value);
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** Hands a text to the browser as a file. */
export function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
