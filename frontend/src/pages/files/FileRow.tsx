import { Link } from "@tanstack/react-router";
import { Download, Eye, Trash2 } from "lucide-react";
import { createElement } from "react";
import { useTranslation } from "react-i18next";

import { contentUrl, type StoredFile } from "../../api/files";
import { useCan, useWorkspace } from "../../api/session";
import { endingOf, SORT_ICON, sortOf } from "../../preview/sorts";
import { buttonClass, CopyButton, IconButton, numClass, Time, useFormatter } from "../../ui";
import ui from "../../ui/ui.module.css";
import css from "./files.module.css";
import { shortDigest } from "./words";

export function FileRow(props: { file: StoredFile; chosen: boolean; onChoose: (on: boolean) => void; onShow: () => void; onRemove: () => void }) {
  const { t } = useTranslation("files");
  const { file, chosen } = props;
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const mayRemove = useCan("builder");
  const sort = sortOf(file);
  const ending = endingOf(file.name).toUpperCase();
  return (
    <tr data-on={chosen || undefined} data-testid={`file-${file.id}`}>
      <td data-part="tick">
        <label className={css.tick}>
          <input type="checkbox" aria-label={t("choose", { name: file.name })} checked={chosen} onChange={(event) => props.onChoose(event.currentTarget.checked)} />
        </label>
      </td>
      <td data-part="name">
        <div className={css.name}>
          {createElement(SORT_ICON[sort], { size: 18, "aria-hidden": true })}
          <span>
            <b title={file.name}>{file.name}</b>
            <small title={file.mime}>
              {t(`sort.${sort}`)}
              {ending && ` · ${ending}`}
            </small>
          </span>
        </div>
      </td>
      <td data-part="size" className={numClass}>
        <span className="tn" title={t("exactly", { count: file.size, number: format.number(file.size) })}>
          {format.bytes(file.size)}
        </span>
      </td>
      <td data-part="from">
        <Origin file={file} />
      </td>
      <td data-part="when">
        <Time at={file.created_at} />
      </td>
      <td data-part="digest">
        <span className={css.digest}>
          <small data-label aria-hidden>
            SHA-256
          </small>
          <code title={file.sha256}>{shortDigest(file.sha256)}</code>
          <CopyButton text={file.sha256} label={t("copyDigest", { name: file.name })} />
        </span>
      </td>
      <td data-part="actions">
        <div className={css.actions}>
          <IconButton size="sm" label={t("show", { name: file.name })} icon={<Eye size={15} />} aria-haspopup="dialog" onClick={props.onShow} />
          <a
            className={buttonClass("quiet", "sm", ui.iconOnly)}
            href={contentUrl(workspace, file.id)}
            download={file.name}
            aria-label={t("download", { name: file.name })}
            title={t("downloadHint")}
          >
            <Download size={15} aria-hidden />
          </a>
          {mayRemove && <IconButton size="sm" label={t("removeName", { name: file.name })} icon={<Trash2 size={15} />} onClick={props.onRemove} />}
        </div>
      </td>
    </tr>
  );
}

/** The step of the run that made it, or who uploaded it. */
function Origin({ file }: { file: StoredFile }) {
  const { t } = useTranslation("files");
  if (!file.run_id) return <span>{file.created_by ? t("by", { name: file.created_by }) : t("byNobody")}</span>;
  return (
    <span className={css.origin}>
      <Link to="/runs/$runId" params={{ runId: file.run_id }} search={file.node ? { step: file.node } : {}}>
        {file.workflow_name ?? t("run")}
      </Link>
      {file.step && <small>{file.step}</small>}
    </span>
  );
}
