import { useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useRunViews } from "../../api/runSearch";
import { PageBody, SkeletonRows, TopBar } from "../../ui";
import { RunList } from "./RunList";
import { fromSaved, meant } from "./search";

export default function RunsPage() {
  const { t } = useTranslation("runs");
  const search = useSearch({ from: "/shell/runs" });
  const views = useRunViews();
  const chosen = views.data?.find((view) => view.first);
  const first = useMemo(() => chosen && fromSaved(chosen.search), [chosen]);
  // With what it is opened is known once they are here, or cannot be had.
  const known = Object.keys(search).length > 0 || !views.isPending || views.failureCount > 0;
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);
  return (
    <>
      <TopBar title={t("title")} />
      {known ? (
        <RunList search={meant(search, first)} first={first} />
      ) : (
        <PageBody>
          <SkeletonRows rows={8} height={30} label={t("loading")} />
        </PageBody>
      )}
    </>
  );
}
