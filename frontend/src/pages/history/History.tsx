import { useTranslation } from "react-i18next";

import { type Historic, useHistory } from "../../api/audit";
import { Button, EmptyState, ErrorCard, SkeletonRows, tableBoxClass, tableFootClass } from "../../ui";
import { Rows } from "./rows";

/** Who did what to one thing, the newest first. */
export default function History({ what, id }: { what: Historic; id: string }) {
  const { t } = useTranslation(["audit", "common"]);
  const list = useHistory(what, id);
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (list.isPending) return <SkeletonRows rows={5} height={34} label={t("loading")} />;
  if (list.isError) return <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />;
  if (rows.length === 0) return <EmptyState plain title={t("history.none")} text={t(what === "workflows" ? "history.noneWorkflow" : "history.noneText")} />;
  return (
    <div className={tableBoxClass}>
      <Rows rows={rows} label={t("history.title")} />
      {list.hasNextPage && (
        <div className={tableFootClass}>
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {t("more")}
          </Button>
        </div>
      )}
    </div>
  );
}
