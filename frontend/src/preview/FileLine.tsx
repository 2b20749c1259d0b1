import { Download, Eye, EyeOff } from "lucide-react";
import { createElement, lazy, Suspense, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { contentUrl } from "../api/files";
import { useWorkspace } from "../api/session";
import { Button, buttonClass, IconButton, SkeletonRows, useFormatter } from "../ui";
import ui from "../ui/ui.module.css";
import { useWidth } from "../ui/useWidth";
import css from "./preview.module.css";
import { SORT_ICON, sortOf } from "./sorts";
import { type FileValue, SHOWN_FILES } from "./value";

const Look = lazy(() => import("./Look"));
const PreviewDialog = lazy(() => import("./PreviewDialog"));

/** From this width on a preview has room where it is asked for; below it takes the whole screen. */
const ROOM = 900;
/** Whoever goes through a list with the keys opens nothing on the way. */
const SOON_MS = 350;

interface FileLineProps {
  file: FileValue;
  /** Shows it below, where there is room; else over the page. */
  below?: boolean;
  /** Opened unasked; only below. */
  open?: boolean;
}

/** A file of data: its name and size, the way to look at it, and the download. */
export function FileLine({ file, below = false, open = false }: FileLineProps) {
  const { t } = useTranslation("preview");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const inline = useWidth() >= ROOM && below;
  const [shown, setShown] = useState<"no" | "below" | "over">("no");
  const id = useId();
  const unasked = open && inline;
  useEffect(() => {
    if (!unasked) return;
    const timer = setTimeout(() => setShown("below"), SOON_MS);
    return () => clearTimeout(timer);
  }, [unasked, file.id]);
  const here = shown === "below" && inline;
  return (
    <div className={css.file}>
      <div className={css.line}>
        {createElement(SORT_ICON[sortOf(file)], { size: 18, "aria-hidden": true })}
        <span className={css.name}>
          <b>{file.name}</b> <small className="tn">{format.bytes(file.size)}</small>
        </span>
        <IconButton
          size="sm"
          label={t(here ? "hide" : "show", { name: file.name })}
          icon={here ? <EyeOff size={16} /> : <Eye size={16} />}
          aria-expanded={inline ? here : undefined}
          aria-controls={here ? id : undefined}
          aria-haspopup={inline ? undefined : "dialog"}
          onClick={() => setShown(here ? "no" : inline ? "below" : "over")}
        />
        <a className={buttonClass("quiet", "sm", ui.iconOnly)} href={contentUrl(workspace, file.id)} download={file.name} aria-label={t("download", { name: file.name })} title={t("downloadHint")}>
          <Download size={15} aria-hidden />
        </a>
      </div>
      {here && (
        <div id={id} className={css.below}>
          <Suspense fallback={<SkeletonRows rows={5} height={34} label={t("loading", { name: file.name })} />}>
            <Look id={file.id} name={file.name} />
          </Suspense>
        </div>
      )}
      {shown === "over" && (
        <Suspense fallback={null}>
          <PreviewDialog file={file} onClose={() => setShown("no")} />
        </Suspense>
      )}
    </div>
  );
}

/** Several of them; of many the first, until more are asked for. */
export function FileLines({ files, below, open }: { files: readonly FileValue[]; below?: boolean; open?: string | null }) {
  const { t } = useTranslation("preview");
  const [all, setAll] = useState(false);
  const shown = all ? files : files.slice(0, SHOWN_FILES);
  return (
    <div className={css.files}>
      {shown.map((file, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- one file may stand in a list twice
        <FileLine key={`${file.id} ${index}`} file={file} below={below ?? false} open={open === file.id} />
      ))}
      {shown.length < files.length && (
        <Button variant="link" onClick={() => setAll(true)}>
          {t("moreFiles", { count: files.length - shown.length })}
        </Button>
      )}
    </div>
  );
}
