/** The inbox without a network: what is kept ahead, and the page itself. */
import { useEffect, useRef } from "react";

import { keepTask, missing } from "../../api/keptQuestions";
import { readTask } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Task } from "../../api/types";

/** Nothing that the first sight of the page needs waits for this. */
const LATER_MS = 2_000;

/** Reads ahead what could be opened without a network. */
export function useKeptAhead(tasks: readonly Task[], on: boolean): void {
  const workspace = useWorkspace().id;
  useEffect(() => {
    if (!on) return;
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      for (const task of await missing(workspace, tasks)) {
        if (stop.signal.aborted || !navigator.onLine) return;
        const read = await readTask(workspace, task.id, stop.signal).catch(() => undefined);
        if (read && !stop.signal.aborted) await keepTask(workspace, read);
      }
    }, LATER_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [tasks, workspace, on]);
}

/** Keeps the page with its files for the next time, also those parts that are loaded only when they are needed. */
export function useKeptPage(parts: () => Promise<unknown>): void {
  const load = useRef(parts);
  useEffect(() => {
    if (!("serviceWorker" in navigator)) return;
    const look = async () => {
      // Without a network nothing can be had, and the browser would put the attempt down as an error of the page.
      if (!navigator.onLine) return;
      try {
        await load.current();
        await navigator.serviceWorker.register("/sw.js", { scope: "/inbox" });
        const all = performance.getEntriesByType("resource").map((one) => new URL(one.name));
        const files = all.filter((url) => url.origin === location.origin && url.pathname.startsWith("/assets/"));
        const worker = await navigator.serviceWorker.getRegistration("/inbox");
        const keep = [...new Set(files.map((url) => url.pathname))];
        (worker?.active ?? worker?.waiting ?? worker?.installing)?.postMessage({ keep });
      } catch {
        // Without it the inbox needs a network, as everything else does.
      }
    };
    // Once more: the frame loads some of its parts by and by.
    const timers = [LATER_MS, 3 * LATER_MS, 8 * LATER_MS].map((ms) => setTimeout(() => void look(), ms));
    const back = () => void look();
    window.addEventListener("online", back);
    return () => {
      timers.forEach(clearTimeout);
      window.removeEventListener("online", back);
    };
  }, []);
}
