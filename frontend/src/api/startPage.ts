/** Where a person begins: where signing in and the logo lead. */
import { useMaybeWorkspace, useSession, useWorkspaceChoice, workspaceOf } from "./session";
import type { Role, Session, StartPage } from "./types";

/** Where each of them is. Home is at the root for those who begin there, and at an address of its own for the others. */
export const START_PATHS = {
  home: "/",
  inbox: "/inbox",
  runs: "/runs",
  workflows: "/workflows",
  monitor: "/monitor",
} as const satisfies Record<StartPage, string>;

/** Those that somebody with this role can see. */
export function startPagesFor(role: Role | undefined): StartPage[] {
  const all: StartPage[] = ["home", "inbox", "runs", "workflows", "monitor"];
  return all.filter((page) => page !== "monitor" || role === "admin");
}

/** The page that somebody begins at: what they chose, or Home where that is not theirs to see (any more). */
export function startPageOf(chosen: StartPage | undefined, role: Role | undefined): StartPage {
  return startPagesFor(role).find((page) => page === chosen) ?? "home";
}

/** The same, for who is not on a screen yet. */
export function startPageNow(session: Session | undefined): StartPage {
  const workspace = workspaceOf(session, useWorkspaceChoice.getState().id);
  return startPageOf(session?.user?.start_page, workspace?.role);
}

/** The page that the signed-in person begins at, here. */
export function useStartPage(): StartPage {
  return startPageOf(useSession()?.user?.start_page, useMaybeWorkspace()?.role);
}

/** Where Home is for this person. */
export function useHomePath(): "/" | "/home" {
  return useStartPage() === "home" ? "/" : "/home";
}
