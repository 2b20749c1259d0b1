/** Asking the other system whether something happened, before it is sent again. Nothing is changed by that. */
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";

import { formatExact, parseExact } from "../graph/exact";
import type { JsonObject } from "../graph/types";
import { api } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Instant, Json } from "./types";

/** no_turn: nobody was asked, since the connection takes no call now. */
export type Found = "happened" | "did_not_happen" | "could_not_tell" | "no_turn";

export interface AskedNow {
  found: Found;
  system: string;
  at: Instant;
  /** Why it could not tell. */
  code: string;
  message: string;
  until: Instant | null;
  /** What the other system calls what is there. */
  name: string;
  /** `output` can be said to be what the step gave, in the place of sending anything. */
  takes: boolean;
  output: Json;
}

/** What is asked about: a step of a plan, or the step that a question is about. */
export type About =
  | { run: string; node: string; start: readonly string[]; version: number | null }
  | { task: string };

export function askNow(workspace: string, about: About, settings: JsonObject | null, signal?: AbortSignal): Promise<AskedNow> {
  const here = workspacePath(workspace);
  const more = { ...(signal ? { signal } : {}), parse: parseExact };
  if ("task" in about) return api.post<AskedNow>(`${here}/inbox/${about.task}/fix/ask`, { settings }, more);
  const { run, ...body } = about;
  return api.post<AskedNow>(`${here}/runs/${run}/retry-plan/ask`, { ...body, settings }, more);
}

/** Asks once, and again whenever somebody says so: each question is a call at the other system, and goes on record. */
export function useAskNow(about: About, settings: JsonObject | null) {
  // What was said elsewhere on the page a while ago is no answer to who asks now.
  const asker = useId();
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "ask-now", asker, about, settings === null ? null : formatExact(settings)],
    queryFn: () => askNow(workspace, about, settings),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}
