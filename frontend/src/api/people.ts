/** Who can be asked in this workspace, and groups of them. */
import { useQuery } from "@tanstack/react-query";

import { api } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";

export interface Colleague {
  /** The id of their membership. */
  member: string;
  name: string;
  email: string;
  /** Whether they give others their roles. */
  admin: boolean;
}

export interface Askable {
  people: Colleague[];
  groups: { id: string; name: string; count: number }[];
}

export interface Group {
  id: string;
  name: string;
  /** Ids of memberships. */
  members: string[];
}

/** The people and groups a step can ask, and a question can be handed over to. */
export function useAskable() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "people"],
    queryFn: ({ signal }) => api.get<Askable>(`${workspacePath(workspace)}/people`, { signal }),
  });
}

export function useGroups() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "groups"],
    queryFn: async ({ signal }) => (await api.get<{ items: Group[] }>(`${workspacePath(workspace)}/groups`, { signal })).items,
  });
}
