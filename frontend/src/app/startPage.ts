import type { QueryClient } from "@tanstack/react-query";
import { redirect } from "@tanstack/react-router";

import { sessionQuery } from "../api/session";
import { START_PATHS, startPageNow } from "../api/startPage";

interface Entered {
  context: { queries: QueryClient };
}

const pageOf = ({ context }: Entered) => startPageNow(context.queries.getQueryData(sessionQuery.queryKey));

/** From the root to where the person begins, which is Home unless they chose another page. */
export function toStartPage(entered: Entered): void {
  const page = pageOf(entered);
  if (page !== "home") throw redirect({ to: START_PATHS[page], replace: true });
}

/** Home has one address for a person: an old bookmark of the other leads to it. */
export function toOneHome(entered: Entered): void {
  if (pageOf(entered) === "home") throw redirect({ to: "/", replace: true });
}
