import { lazy, type ReactNode, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { type FilePreview, shownUrl, useFilePreview } from "../api/files";
import { ApiError } from "../api/client";
import { useWorkspace } from "../api/session";
import { Button, SkeletonRows, useFormatter } from "../ui";
import { NotShown } from "./NotShown";
import css from "./preview.module.css";
import { Zoom } from "./Zoom";

// The reader of PDFs is larger than all the rest.
const Pdf = lazy(() => import("./Pdf"));

/** A file, shown: what it is the server tells by its bytes. Nothing in it is ever carried out. */
export default function Look({ id, name }: { id: string; name: string }) {
  const { t } = useTranslation(["preview", "common"]);
  const workspace = useWorkspace().id;
  const query = useFilePreview(id);
  if (query.isPending) return <SkeletonRows rows={5} height={34} label={t("loading", { name })} />;
  if (!query.data) {
    const removed = query.error instanceof ApiError && query.error.status === 404;
    return (
      <NotShown>
        {removed ? t("removed") : t("trouble.away")}{" "}
        {!removed && (
          <Button variant="link" onClick={() => void query.refetch()}>
            {t("common:action.tryAgain")}
          </Button>
        )}
      </NotShown>
    );
  }
  const found = query.data;
  const url = shownUrl(workspace, id);
  switch (found.kind) {
    case "picture":
      return <Picture found={found} url={url} name={name} />;
    case "pdf":
      return (
        <Suspense fallback={<SkeletonRows rows={6} height={40} label={t("loading", { name })} />}>
          <Pdf key={url} url={url} name={name} />
        </Suspense>
      );
    case "text":
      return (
        <Beginning found={found}>
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled with the keys */}
          <pre className={css.plain} tabIndex={0} aria-label={t("textOf", { name })}>
            {found.text}
          </pre>
        </Beginning>
      );
    case "table":
      return (
        <Beginning found={found}>
          <Rows found={found} name={name} />
        </Beginning>
      );
    default:
      return <Reason found={found} />;
  }
}

function Reason({ found }: { found: FilePreview }) {
  const { t } = useTranslation("preview");
  const format = useFormatter();
  const most = found.reason === "large" ? format.bytes(found.most) : format.number(found.most / 1_000_000);
  return <NotShown>{t(`reason.${found.reason || "sort"}`, { most })}</NotShown>;
}

function Picture({ found, url, name }: { found: FilePreview; url: string; name: string }) {
  const { t } = useTranslation("preview");
  const [failed, setFailed] = useState(false);
  const [zoom, setZoom] = useState(1);
  if (failed) return <NotShown>{t("trouble.damaged")}</NotShown>;
  return (
    <div className={css.reader}>
      <div className={css.bar} role="group" aria-label={t("bar")}>
        <span className="tn">{t("pixels", { width: found.width, height: found.height })}</span>
        <Zoom zoom={zoom} onZoom={setZoom} />
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled with the keys */}
      <div className={css.sheets} tabIndex={0} role="group" aria-label={t("pictureOf", { name })}>
        <img
          className={css.picture}
          src={url}
          alt={name}
          width={found.width}
          height={found.height}
          decoding="async"
          // No larger than it is, until somebody asks for that.
          style={zoom === 1 ? {} : { width: `calc(min(100%, ${found.width}px) * ${zoom})`, maxWidth: "none", maxHeight: "none" }}
          onError={() => setFailed(true)}
        />
      </div>
    </div>
  );
}

/** A text or a table, with the word that there is more of it. */
function Beginning({ found, children }: { found: FilePreview; children: ReactNode }) {
  const { t } = useTranslation("preview");
  return (
    <div className={css.reader}>
      {children}
      {found.more && <p className={css.more}>{t("more")}</p>}
    </div>
  );
}

function Rows({ found, name }: { found: FilePreview; name: string }) {
  const { t } = useTranslation("preview");
  const [head, ...rest] = found.rows;
  const rows = found.header ? rest : found.rows;
  const wide = Math.max(...found.rows.map((row) => row.length));
  const places = Array.from({ length: wide }, (_, place) => place);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled with the keys
    <div className={css.rows} tabIndex={0} role="group" aria-label={t("tableOf", { name })}>
      <table aria-label={name}>
        {found.header && (
          <thead>
            <tr>
              {places.map((place) => (
                <th key={place} scope="col">
                  {head?.[place]}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row, number) => (
            // oxlint-disable-next-line react/no-array-index-key -- rows of a file have no other name than their place
            <tr key={number}>
              {places.map((place) => (
                <td key={place}>{row[place]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
