import type { ReactNode } from "react";

import { type RunStore, RunStoreProvider } from "../../../live";
import { NotRetrying } from "../Retrying";

/** The panel of a step that stands in a container reads the run of the item that is opened there. */
export function InItem({ container, store, children }: { container: string | undefined; store: RunStore | undefined; children: ReactNode }) {
  if (container === undefined || !store) return children;
  return (
    <RunStoreProvider value={store}>
      {/* An item is gone on with on the page of its own run. */}
      <NotRetrying>{children}</NotRetrying>
    </RunStoreProvider>
  );
}
