/** What the cards of a run can tell of the steps that are done, masked by the server. */
import { useQuery } from "@tanstack/react-query";

import { api } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Items } from "./types";

export interface Card {
  node: string;
  generation: number;
  kind: "value" | "people" | "http" | "mail";
  took_ms: number | null;
  value: string | null;
  number: boolean;
  currency: string | null;
  hidden: boolean;
  by: string | null;
  outcome: string | null;
  called: string | null;
  status: number | null;
  identity: string | null;
  count: number | null;
}

/** As of `seq`; what was told before stays until the next has come. */
export function useCards(run: string | undefined, seq: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "cards", run, seq],
    queryFn: async ({ signal }) => (await api.get<Items<Card>>(`${workspacePath(workspace)}/runs/${run}/cards`, { signal })).items,
    enabled: run !== undefined,
    placeholderData: (before, query) => (query?.queryKey[2] === run ? before : undefined),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
