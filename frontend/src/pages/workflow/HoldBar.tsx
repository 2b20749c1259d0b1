import { lazy, Suspense } from "react";

import type { Workflow } from "../../api/types";

const HoldBanner = lazy(() => import("./control/HoldBanner"));

/** Says that a workflow is paused and still accepts; nothing for one that is not, which costs nothing. */
export function HoldBar({ workflow }: { workflow: Workflow | undefined }) {
  if (!workflow?.hold) return null;
  return (
    <Suspense>
      <HoldBanner workflow={workflow} hold={workflow.hold} />
    </Suspense>
  );
}
