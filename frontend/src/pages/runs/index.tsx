import { useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { TopBar } from "../../ui";
import { RunList } from "./RunList";

export default function RunsPage() {
  const { t } = useTranslation("runs");
  const search = useSearch({ from: "/shell/runs" });
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);
  return (
    <>
      <TopBar title={t("title")} />
      <RunList search={search} />
    </>
  );
}
