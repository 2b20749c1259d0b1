import { useTranslation } from "react-i18next";

import type { Historic } from "../../api/audit";
import { Dialog } from "../../ui";
import History from "./History";

/** Who did what to one thing, over the page that shows it. */
export default function HistoryDialog({ what, id, name, onClose }: { what: Historic; id: string; name: string; onClose: () => void }) {
  const { t } = useTranslation("audit");
  return (
    <Dialog opened onClose={onClose} title={t("history.of", { name })} size={860}>
      <History what={what} id={id} />
    </Dialog>
  );
}
