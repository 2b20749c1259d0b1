import { lazy, Suspense } from "react";

import type { Workflow } from "../../api/types";
import { BrokenBanner } from "./BrokenBanner";

const HoldBanner = lazy(() => import("./control/HoldBanner"));

/** Says that a workflow is paused and still accepts, and for which broken connection it waits; else nothing. */
export function HoldBar({ workflow }: { workflow: Workflow | undefined }) {
  return (
    <>
      <BrokenBanner workflow={workflow} />
      {workflow?.hold && (
        <Suspense>
          <HoldBanner workflow={workflow} hold={workflow.hold} />
        </Suspense>
      )}
    </>
  );
}
