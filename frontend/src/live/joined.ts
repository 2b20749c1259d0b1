import type { RunState } from "./runStore";

/** The state of a run with those of opened items laid over it: what stands in a container shows how it stands in that item. */
export function joined(main: RunState, items: readonly RunState[]): RunState {
  if (items.length === 0) return main;
  return {
    ...main,
    steps: Object.assign({}, main.steps, ...items.map((item) => item.steps)) as RunState["steps"],
    edges: Object.assign({}, main.edges, ...items.map((item) => item.edges)) as RunState["edges"],
    undone: Object.assign({}, main.undone, ...items.map((item) => item.undone)) as RunState["undone"],
  };
}
