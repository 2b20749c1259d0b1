import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PlugZap } from "lucide-react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { BrokenConnectionsShape } from "../../api/schema.gen";
import { useCan, useWorkspace } from "../../api/session";
import type { Workflow } from "../../api/types";
import { useFormatter } from "../../ui";
import css from "./broken.module.css";

/** Somebody may break or repair it elsewhere: asked for again so often, ms. */
const EVERY = 20_000;

/** Says that steps of this workflow wait for a connection that somebody has to repair. */
export function BrokenBanner({ workflow }: { workflow: Workflow | undefined }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const canBuild = useCan("builder");
  const id = workflow?.live ? workflow.id : undefined;
  const found = useQuery({
    queryKey: [workspace, "broken-connections", id],
    queryFn: async ({ signal }) => (await api.get<BrokenConnectionsShape>(`${workspacePath(workspace)}/workflows/${id}/broken-connections`, { signal })).items,
    enabled: id !== undefined,
    refetchInterval: EVERY,
  });
  return (
    <>
      {found.data?.map((one) => (
        <div key={one.id} role="status" className={css.bar}>
          <PlugZap size={16} aria-hidden />
          <span>
            {t("brokenConnection", { name: one.name, count: one.waiting, number: format.number(one.waiting), time: format.dayClock(one.since) })}
          </span>
          {canBuild && (
            <Link to="/connections" search={{ connection: one.id }}>
              {t("brokenRepair")}
            </Link>
          )}
        </div>
      ))}
    </>
  );
}
