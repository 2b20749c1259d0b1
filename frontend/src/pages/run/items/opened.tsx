/**
 * Which item of each container is opened on the run's canvas. Each is a run of its own and is followed as one; what stands
 * in the container then shows how it stands in that item.
 */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";

import { useWorkspace } from "../../../api/session";
import { type RunItem } from "../../../api/types";
import { withBodies } from "../../../graph/containers";
import { createRunStore, joined, type RunStore, RunStoreProvider, useLiveRun, useRun, useRunStore } from "../../../live";
import { unitOf } from "./shown";

export interface OpenItem {
  run: string;
  index: number;
  label: string | null;
  unit: ReturnType<typeof unitOf>;
  /** Nobody chose it: another one may take its place. */
  auto: boolean;
}

interface Opened {
  items: Readonly<Record<string, OpenItem>>;
  stores: ReadonlyMap<string, RunStore>;
  open(container: string, item: RunItem, auto?: boolean): void;
  /** Reads the run that is shown and the opened items again. */
  reload(): void;
}

const Context = createContext<Opened>({ items: {}, stores: new Map(), open: () => undefined, reload: () => undefined });

export function useOpened(): Opened {
  return useContext(Context);
}

/** The run whose step this is: the one that is shown, or the item that is opened around it; null while none is. */
export function useOwner(parent: string | undefined): string | null {
  const { items } = useOpened();
  const shown = useRun((state) => state.run?.id ?? null);
  return parent === undefined ? shown : (items[parent]?.run ?? null);
}

/** Stands inside the provider of the run that is shown. */
export function OpenedItems({ reload: reloadRun, children }: { reload: () => void; children: ReactNode }) {
  const graph = useRun((state) => state.graph);
  const [items, setItems] = useState<Readonly<Record<string, OpenItem>>>({});
  const [stores, setStores] = useState<ReadonlyMap<string, RunStore>>(() => new Map());
  const open = useCallback(
    (container: string, item: RunItem, auto = false) => {
      setItems((before) => {
        const next = { ...before };
        // What was opened further inside belongs to another item.
        if (graph) for (const inner of withBodies(graph, new Set([container]))) delete next[inner];
        next[container] = { run: item.run_id, index: item.index, label: item.label, unit: unitOf(graph?.nodes.find((node) => node.id === container)), auto };
        return next;
      });
    },
    [graph],
  );
  const [again] = useState(() => new Map<string, () => void>());
  const latest = useRef(reloadRun);
  useEffect(() => {
    latest.current = reloadRun;
  });
  const reload = useCallback(() => {
    latest.current();
    for (const read of again.values()) read();
  }, [again]);
  const hold = useCallback((container: string, store: RunStore | null) => {
    setStores((before) => {
      const next = new Map(before);
      if (store) next.set(container, store);
      else next.delete(container);
      return next;
    });
  }, []);
  const value = useMemo(() => ({ items, stores, open, reload }), [items, stores, open, reload]);
  return (
    <Context.Provider value={value}>
      {children}
      {Object.entries(items).map(([container, item]) => (
        <Followed key={`${container} ${item.run}`} container={container} run={item.run} hold={hold} again={again} />
      ))}
    </Context.Provider>
  );
}

/** Follows the run of an opened item as the page follows its own. */
function Followed(props: { container: string; run: string; hold(container: string, store: RunStore | null): void; again: Map<string, () => void> }) {
  const { container, hold, again } = props;
  const { store, reload } = useLiveRun(useWorkspace().id, props.run);
  useEffect(() => {
    again.set(container, reload);
    return () => void again.delete(container);
  });
  useEffect(() => {
    hold(container, store);
    return () => hold(container, null);
  }, [container, store, hold]);
  return null;
}

/** For the canvas: the run that is shown with the opened items laid over it. */
export function WithItems({ children }: { children: ReactNode }) {
  const main = useRunStore();
  const { stores } = useOpened();
  const merged = useMemo(() => {
    if (stores.size === 0) return main;
    const store = createRunStore();
    store.setState(joined(main.getState(), [...stores.values()].map((item) => item.getState())), true);
    return store;
  }, [main, stores]);
  useEffect(() => {
    if (merged === main) return;
    const parts = [main, ...stores.values()];
    const show = (): void => merged.setState(joined(main.getState(), [...stores.values()].map((item) => item.getState())), true);
    show();
    const stops = parts.map((part) => part.subscribe(show));
    return () => stops.forEach((stop) => stop());
  }, [merged, main, stores]);
  return <RunStoreProvider value={merged}>{children}</RunStoreProvider>;
}
