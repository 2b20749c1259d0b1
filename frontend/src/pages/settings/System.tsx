import { RefreshCw } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useSystemChecks } from "../../api/queries";
import { useCan, useSession } from "../../api/session";
import { Button, ErrorCard, Note, sectionTitleClass, SkeletonRows } from "../../ui";
import { Checks } from "../setup/Checks";
import css from "./settings.module.css";

export default function SystemPage() {
  const { t } = useTranslation(["settings", "setup"]);
  const isAdmin = useCan("admin");
  const session = useSession();
  const checks = useSystemChecks(isAdmin);
  if (!isAdmin) return <Note>{t("adminsOnly")}</Note>;
  return (
    <>
      <div className={css.head}>
        <div>
          <h2 className={sectionTitleClass}>{t("section.system")}</h2>
          <p>{t("system.version", { version: session?.version ?? "" })}</p>
        </div>
        <Button
          icon={<RefreshCw size={15} aria-hidden />}
          busy={checks.isFetching && !checks.isPending}
          onClick={() => void checks.refetch()}
        >
          {t("setup:checks.again")}
        </Button>
      </div>
      {checks.isPending && <SkeletonRows rows={5} label={t("setup:checks.loading")} />}
      {checks.isError && (
        <ErrorCard title={t("setup:checks.failed")} error={checks.error} onRetry={() => void checks.refetch()} />
      )}
      {checks.data && <Checks checks={checks.data} />}
    </>
  );
}
