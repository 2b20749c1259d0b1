/** Compares files with a manifest in the browser: nothing of it is taken from the server but the bytes. */
import type { WrongFile } from "../../api/batches";

interface Named {
  name: string;
  size: number;
  sha256: string;
}

export interface ManifestEntry {
  seq: number;
  key: string | null;
  files: Named[];
}

export interface Manifest {
  entries: ManifestEntry[];
  /** Of all bytes but those of the last line, as the last line says it, and as it is. */
  said: string;
  sha256: string;
}

export interface Verified {
  sha256: string;
  checked: number;
  missing: WrongFile[];
  changed: WrongFile[];
}

const hex = (data: ArrayBuffer): string => [...new Uint8Array(data)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export async function sha256(data: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", data));
}

/** Reads a manifest; throws where it is none, or was changed. */
export async function readManifest(bytes: Uint8Array<ArrayBuffer>): Promise<Manifest> {
  const end = bytes.lastIndexOf(10, bytes.length - 2) + 1;
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  const last = JSON.parse(lines.at(-1) ?? "") as { end?: boolean; sha256?: string };
  if (last.end !== true || typeof last.sha256 !== "string") throw new Error("no manifest");
  const entries = lines.slice(1, -1).map((line) => JSON.parse(line) as ManifestEntry);
  return { entries, said: last.sha256, sha256: await sha256(bytes.subarray(0, end)) };
}

/** Where the bytes of a file are; null where there is none. */
export type Fetch = (file: { seq: number; name: string; sha256: string }) => Promise<ArrayBuffer | null>;

/** Compares every file that the manifest names, `atOnce` at a time; tells after each how many are done. */
export async function verify(manifest: Manifest, fetch: Fetch, onProgress: (done: number) => void, signal: AbortSignal, atOnce = 6): Promise<Verified> {
  const queue = manifest.entries.flatMap((entry) => entry.files.map((file) => ({ ...file, seq: entry.seq, key: entry.key })));
  const found: Verified = { sha256: manifest.said, checked: queue.length, missing: [], changed: [] };
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < queue.length) {
      signal.throwIfAborted();
      const file = queue[next++] as (typeof queue)[number];
      const wrong: WrongFile = { name: file.name, seq: file.seq, key: file.key };
      // One after another by intention: `atOnce` of these run side by side.
      // oxlint-disable-next-line no-await-in-loop
      const data = await fetch(file);
      // oxlint-disable-next-line no-await-in-loop
      if (data === null) found.missing.push(wrong);
      // oxlint-disable-next-line no-await-in-loop
      else if ((await sha256(data)) !== file.sha256) found.changed.push(wrong);
      onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const order = (one: WrongFile, other: WrongFile) => (one.seq ?? 0) - (other.seq ?? 0);
  return { ...found, missing: found.missing.sort(order), changed: found.changed.sort(order) };
}
