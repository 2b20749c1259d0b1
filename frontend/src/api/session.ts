/** Who is signed in, and in which workspace they are. */
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { create } from "zustand";

import { keepSession, keptSession } from "./keptQuestions";
import { api, NetworkError, refreshSession, rememberSession } from "./client";
import type { Role, Session, User, WorkspaceSummary } from "./types";

/** Who is signed in; without a network who was, on this computer. */
async function currentSession(): Promise<Session> {
  try {
    const session = await refreshSession();
    void keepSession(session);
    return session;
  } catch (error) {
    const old = error instanceof NetworkError ? await keptSession() : undefined;
    if (!old) throw error;
    return old;
  }
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: currentSession,
  staleTime: 60_000,
  networkMode: "always",
  refetchOnReconnect: true,
});

export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data;
}

/** The signed-in person; only for screens behind the sign-in. */
export function useUser(): User {
  const user = useSession()?.user;
  if (!user) throw new Error("Nobody is signed in.");
  return user;
}

let firstVersion: string | null = null;

/** Whether the server has become another version than the one this page was loaded from. */
export function useNewVersion(): boolean {
  const version = useSession()?.version;
  if (version === undefined) return false;
  firstVersion ??= version;
  return version !== firstVersion;
}

const WORKSPACE_KEY = "millrace.workspace";

function storedWorkspace(): string | null {
  try {
    return localStorage.getItem(WORKSPACE_KEY);
  } catch {
    return null;
  }
}

interface WorkspaceChoice {
  id: string | null;
  choose: (id: string) => void;
}

export const useWorkspaceChoice = create<WorkspaceChoice>((set) => ({
  id: storedWorkspace(),
  choose(id) {
    try {
      localStorage.setItem(WORKSPACE_KEY, id);
    } catch {
      // The choice then lasts until the page is closed.
    }
    set({ id });
  },
}));

export function workspaceOf(session: Session | undefined, chosen: string | null): WorkspaceSummary | undefined {
  return session?.workspaces.find((workspace) => workspace.id === chosen) ?? session?.workspaces[0];
}

/** The workspace the person works in, or undefined if they belong to none. */
export function useMaybeWorkspace(): WorkspaceSummary | undefined {
  const chosen = useWorkspaceChoice((state) => state.id);
  return workspaceOf(useSession(), chosen);
}

/** The workspace the person works in; only for screens behind the sign-in. */
export function useWorkspace(): WorkspaceSummary {
  const workspace = useMaybeWorkspace();
  if (!workspace) throw new Error("No workspace.");
  return workspace;
}

const ORDER: readonly Role[] = ["viewer", "reviewer", "builder", "admin"];

/** Whether the person's role reaches `least`. The server decides; this only hides what would be refused. */
export function useCan(least: Role): boolean {
  const role = useMaybeWorkspace()?.role;
  return role !== undefined && ORDER.indexOf(role) >= ORDER.indexOf(least);
}

export interface Credentials {
  email: string;
  password: string;
  remember: boolean;
  /** Of the authenticator app, or a recovery code; where the answer was that one is needed. */
  code?: string;
}

export interface SetupAnswers {
  token: string;
  name: string;
  email: string;
  password: string;
  workspace: { name: string; language: string; time_zone: string; currency: string };
}

export async function signIn(credentials: Credentials): Promise<Session> {
  return rememberSession(await api.post<Session>("/session", credentials, { quiet: true }));
}

export async function setUp(answers: SetupAnswers): Promise<Session> {
  return rememberSession(await api.post<Session>("/setup", answers, { quiet: true }));
}

export async function acceptInvitation(answers: {
  token: string;
  name: string;
  password: string;
  code?: string;
}): Promise<Session> {
  return rememberSession(await api.post<Session>("/invitations/accept", answers, { quiet: true }));
}

/** Puts a new session in force everywhere. */
export function useTakeSession(): (session: Session) => void {
  const client = useQueryClient();
  return (session) => {
    void keepSession(session);
    client.setQueryData(sessionQuery.queryKey, session);
  };
}
