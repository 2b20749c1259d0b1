/** Where the files of a batch are, read a page at a time as they are asked for in the order of their entries. */
import type { Batch, BatchFile } from "../../api/batches";
import { fetchBatchFiles } from "../../api/batches";
import { contentUrl } from "../../api/files";
import type { Fetch } from "./verify";

export function fetcher(workspace: string, batch: Batch, signal: AbortSignal): Fetch {
  const bySeq = new Map<number, BatchFile[]>();
  let cursor: string | null = null;
  let upTo = 0;
  let reading: Promise<void> | null = null;
  const readOn = async (): Promise<void> => {
    const page = await fetchBatchFiles(workspace, batch.run_id, batch.node, cursor, signal);
    for (const file of page.items) bySeq.set(file.seq, [...(bySeq.get(file.seq) ?? []), file]);
    cursor = page.next_cursor;
    upTo = cursor === null ? Number.POSITIVE_INFINITY : Math.max(upTo, ...page.items.map((one) => one.seq));
  };
  const readTo = async (seq: number): Promise<void> => {
    if (upTo >= seq) return;
    // Who asks while a page is on its way waits for that one.
    reading ??= readOn().finally(() => {
      reading = null;
    });
    await reading;
    await readTo(seq);
  };
  return async ({ seq, name, sha256 }) => {
    await readTo(seq);
    const alike = (bySeq.get(seq) ?? []).filter((one) => one.name === name);
    const file = alike.find((one) => one.sha256 === sha256) ?? alike[0];
    if (!file) return null;
    bySeq.set(seq, (bySeq.get(seq) ?? []).filter((one) => one !== file));
    const answer = await fetch(contentUrl(workspace, file.id), { signal });
    // What the server itself finds damaged it breaks off.
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.arrayBuffer().catch(() => new ArrayBuffer(0));
  };
}
