import { DEFAULT_OUT, ERROR_HANDLE, type GraphNode, isJsonObject, type JsonObject, type StepPort, type StepSpec, UNDO_HANDLE } from "./types";

const PLAIN: StepPort[] = [{ id: DEFAULT_OUT, label: "" }];

/** The named ways out of a step as configured, without the failure port. */
export function portsOf(spec: StepSpec | undefined, config: JsonObject): StepPort[] {
  if (!spec) return PLAIN;
  const from = spec.ports_from;
  if (!from) return spec.ports;
  const rows = config[from.field];
  const ports: StepPort[] = [];
  if (Array.isArray(rows)) {
    rows.forEach((row, index) => {
      if (!isJsonObject(row)) return;
      const id = row[from.id];
      const label = row[from.label];
      ports.push({
        id: typeof id === "string" && id ? id : `case_${index + 1}`,
        label: typeof label === "string" ? label : "",
      });
    });
  }
  return [...ports, ...(from.plus ?? [])];
}

/** What a link leaving by `handle` is called; empty for the single default way out. */
export function portLabel(spec: StepSpec | undefined, node: GraphNode, handle: string): string {
  if (handle === ERROR_HANDLE || handle === UNDO_HANDLE) return "";
  const ports = portsOf(spec, node.config);
  if (ports.length <= 1 && handle === DEFAULT_OUT) return "";
  return ports.find((port) => port.id === handle)?.label ?? handle;
}

/** How far down the right edge of an action its undo port stands; an undo step is entered at the same height. */
export const UNDO_PORT_TOP = 48;

/** Horizontal place of each way out as an offset from the middle of the card, in pixels. */
export function portOffsets(count: number, width: number): number[] {
  if (count <= 1) return [0];
  // Three ways out bear names as long as "Not in time", and "+" behind them.
  const step = Math.min(count === 2 ? 80 : 100, (width - 48) / (count - 1));
  return Array.from({ length: count }, (_, index) => Math.round((index - (count - 1) / 2) * step));
}

/** About how wide a name below a way out is with its "+", in pixels. */
const NAME_AROUND = 56;
const NAME_LETTER = 6.4;
const NAME_MOST = 170;

/** In which row below the card the name of each way out stands, so that none hides another. */
export function nameRows(names: readonly string[], offsets: readonly number[]): number[] {
  const ends: number[] = [];
  return names.map((name, at) => {
    const half = (NAME_AROUND + Math.min(NAME_MOST, name.length * NAME_LETTER)) / 2;
    const middle = offsets[at] ?? 0;
    const found = ends.findIndex((end) => end <= middle - half);
    const row = found < 0 ? ends.length : found;
    ends[row] = middle + half;
    return row;
  });
}

/** What a step that is done says of itself; one that waited says by which way it went on, and no more that it waits. */
export function doneNote(spec: StepSpec | undefined, node: GraphNode, step: { note: string | null; ports: readonly string[] }): string | null {
  if (spec?.category !== "people" && !node.type.startsWith("flow.wait_")) return step.note;
  return step.ports.map((port) => portLabel(spec, node, port)).filter(Boolean).join(", ") || null;
}
