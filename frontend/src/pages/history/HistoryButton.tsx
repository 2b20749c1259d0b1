import { History } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Historic } from "../../api/audit";
import { IconButton } from "../../ui";

const HistoryDialog = lazy(() => import("./HistoryDialog"));

/** At the end of a thing's row: who did what to it. */
export function HistoryButton({ what, id, name }: { what: Historic; id: string; name: string }) {
  const { t } = useTranslation("audit");
  const [opened, setOpened] = useState(false);
  return (
    <>
      <IconButton size="sm" label={t("history.of", { name })} icon={<History size={15} />} onClick={() => setOpened(true)} />
      {opened && (
        <Suspense>
          <HistoryDialog what={what} id={id} name={name} onClose={() => setOpened(false)} />
        </Suspense>
      )}
    </>
  );
}
