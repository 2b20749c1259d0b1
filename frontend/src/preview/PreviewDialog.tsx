import { Download } from "lucide-react";
import { useTranslation } from "react-i18next";

import { contentUrl } from "../api/files";
import { useWorkspace } from "../api/session";
import { buttonClass, Dialog, useFormatter } from "../ui";
import { useWidth } from "../ui/useWidth";
import Look from "./Look";
import css from "./preview.module.css";
import type { FileValue } from "./value";

/** A file over the page; on a phone it takes all of it. */
export default function PreviewDialog({ file, onClose }: { file: FileValue; onClose: () => void }) {
  const { t } = useTranslation("preview");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const phone = useWidth() < 900;
  return (
    <Dialog opened onClose={onClose} title={<span className={css.title}>{file.name}</span>} size={960} fullScreen={phone}>
      <div className={css.over}>
        <Look id={file.id} name={file.name} />
        <div className={css.foot}>
          <span className="tn">{format.bytes(file.size)}</span>
          <a className={buttonClass("default", "sm")} href={contentUrl(workspace, file.id)} download={file.name}>
            <Download size={14} aria-hidden />
            {t("downloadHint")}
          </a>
        </div>
      </div>
    </Dialog>
  );
}
