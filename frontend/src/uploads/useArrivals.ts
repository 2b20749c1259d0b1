import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { refreshFiles } from "../api/files";
import { i18n } from "../i18n";
import { showToast } from "../ui";
import { FILES } from "./queue";
import { dropUpload, onUploaded, uploadsUnderWay } from "./store";

/** Takes note of what has come, whichever page is open; and has the browser ask before what is on its way is lost. */
export function useArrivals(): void {
  const client = useQueryClient();
  const came = useRef<string[]>([]);
  useEffect(
    () =>
      onUploaded(async (file, { key, owner, workspace }) => {
        const done = refreshFiles(client, workspace).catch(() => undefined);
        if (owner !== FILES) return;
        came.current.push(file.name);
        await Promise.all([done, i18n.loadNamespaces("files")]);
        // It leaves the list of what is on its way once it stands in the list of what is here.
        dropUpload(key);
        if (uploadsUnderWay() || came.current.length === 0) return;
        const names = came.current;
        came.current = [];
        showToast({ title: i18n.t("files:uploaded", { name: names[0], count: names.length }) });
      }),
    [client],
  );
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => {
      if (uploadsUnderWay()) event.preventDefault();
    };
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, []);
}
