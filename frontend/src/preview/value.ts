/** What of data is a file, and which files are worth opening. */
import { endingOf, sortOf } from "./sorts";

/** A file as it stands in data; what it says of itself is a hint, and the server looks at its bytes. */
export interface FileValue {
  id: string;
  name: string;
  mime: string;
  size: number;
}

const KEYS = ["id", "mime", "name", "sha256", "size"].join();
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DIGEST = /^[0-9a-f]{64}$/i;

/** The file that a value is; null where it is none, or where a part of it is hidden. */
export function fileOf(value: unknown): FileValue | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const fields = value as { [name: string]: unknown };
  if (Object.keys(fields).sort().join() !== KEYS) return null;
  const { id, name, mime, sha256 } = fields;
  const size = Number(String(fields["size"]));
  if (typeof id !== "string" || typeof name !== "string" || typeof mime !== "string" || typeof sha256 !== "string") return null;
  return ID.test(id) && DIGEST.test(sha256) && Number.isFinite(size) ? { id, name, mime, size } : null;
}

/** The files that a value is: one, or a list of nothing else. */
export function filesOf(value: unknown): FileValue[] {
  const found = (Array.isArray(value) ? value : [value]).map(fileOf);
  return found.every((one) => one !== null) ? found : [];
}

/** So many files of a list have a line, until somebody asks for more. */
export const SHOWN_FILES = 50;

/** Bytes of what is opened unasked; a larger file may cost more to look at than whoever opens the page would wait for. */
const MOST_UNASKED = 5_000_000;

/** Which of these is opened unasked: the first that looks like a PDF or a picture, and is not large. */
export function firstToOpen(files: readonly FileValue[]): string | null {
  const looks = (one: FileValue) => sortOf(one) === "picture" || one.mime === "application/pdf" || endingOf(one.name).toLowerCase() === "pdf";
  return files.find((one) => one.size <= MOST_UNASKED && looks(one))?.id ?? null;
}
