import { sizeOf } from "./containers";
import type { LayoutRequest } from "./layout";
import { portsOf } from "./ports";
import type { GraphDocument, Point, Specs } from "./types";

interface Answer {
  id: number;
  positions?: Record<string, Point>;
  error?: string;
}

let worker: Worker | null = null;
let next = 0;
const open = new Map<number, { resolve(positions: Record<string, Point>): void; reject(error: Error): void }>();

function start(): Worker {
  const made = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
  made.addEventListener("message", (event: MessageEvent<Answer>) => {
    const job = open.get(event.data.id);
    open.delete(event.data.id);
    if (event.data.positions) job?.resolve(event.data.positions);
    else job?.reject(new Error(event.data.error ?? "layout failed"));
  });
  made.addEventListener("error", () => {
    for (const job of open.values()) job.reject(new Error("layout failed"));
    open.clear();
    worker = null;
  });
  return made;
}

export function layoutRequest(document: GraphDocument, specs: Specs): LayoutRequest {
  return {
    nodes: document.nodes.map((node) => ({
      id: node.id,
      x: node.position.x,
      y: node.position.y,
      ...sizeOf(specs[node.type]),
      parent: node.parent ?? null,
      ways: portsOf(specs[node.type], node.config).map((port) => port.id),
    })),
    edges: document.edges.map(({ source, sourceHandle, target }) => ({ source, sourceHandle, target })),
  };
}

/** Computes the tidy positions off the main thread. */
export function tidyPositions(document: GraphDocument, specs: Specs): Promise<Record<string, Point>> {
  worker ??= start();
  const used = worker;
  next += 1;
  const id = next;
  return new Promise((resolve, reject) => {
    open.set(id, { resolve, reject });
    used.postMessage({ id, request: layoutRequest(document, specs) });
  });
}
