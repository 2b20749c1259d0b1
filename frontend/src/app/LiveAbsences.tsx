import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { useWorkspace } from "../api/session";
import { useLiveSocket } from "../live";

/** Reads anew who is away and what is asked by that, whenever the server says so. */
export function LiveAbsences() {
  const socket = useLiveSocket();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  useEffect(
    () =>
      socket.subscribeAbsences(() => {
        void client.invalidateQueries({ queryKey: [workspace, "absences"] });
        void client.invalidateQueries({ queryKey: [workspace, "inbox"] });
      }),
    [socket, client, workspace],
  );
  return null;
}
