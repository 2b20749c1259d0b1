import { ChevronLeft, ChevronRight, Download } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, call } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { isJsonObject, type JsonObject } from "../../graph";
import { Button, cx, IconButton } from "../../ui";
import { useEnvironment } from "../EditorContext";
import css from "../inspector.module.css";
import own from "../widgets/design.module.css";
import type { Problem } from "./edit";

const WIDE = 760;
const REST = 350;

interface Shown {
  pages: number;
  problem: string;
}

export interface PreviewProps {
  design: JsonObject;
  /** Pixels that a page is drawn with. */
  wide?: number;
  /** Hears why it cannot be drawn, or that it can. */
  onProblem?(problem: Problem | null): void;
}

/** A page of the document with its sample data, drawn again while the design is changed. */
export function Preview({ design, wide = WIDE, onProblem }: PreviewProps) {
  const { t } = useTranslation("inspector");
  const { workspace } = useEnvironment();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [page, setPage] = useState(1);
  const [shown, setShown] = useState<Shown | null>(null);
  const path = `${workspacePath(workspace)}/documents/preview`;
  const told = useRef(onProblem);
  useEffect(() => {
    told.current = onProblem;
  });
  useEffect(() => {
    const gone = new AbortController();
    const timer = setTimeout(() => {
      draw(path, { ...withSample(design), page, wide }, canvas.current, gone.signal).then(
        (pages) => {
          if (gone.signal.aborted) return;
          setShown({ pages, problem: "" });
          told.current?.(null);
        },
        (error: unknown) => {
          if (gone.signal.aborted) return;
          setShown((before) => ({ pages: before?.pages ?? 0, problem: problemOf(error, t) }));
          told.current?.(placed(error));
        },
      );
    }, REST);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [design, page, path, wide, t]);
  const pages = shown?.pages ?? 0;
  const here = Math.min(page, Math.max(pages, 1));
  return (
    <div className={own.preview} aria-busy={shown === null}>
      <canvas ref={canvas} role="img" aria-label={t("design.preview", { page: here, pages })} className={cx(shown?.problem && own.stale)} />
      <div role="status" className={cx(css.error, own.problem)}>
        {shown?.problem}
      </div>
      <div className={own.foot}>
        <IconButton size="sm" label={t("design.before")} icon={<ChevronLeft size={16} />} disabled={here <= 1} onClick={() => setPage(here - 1)} />
        <span className="tn">{pages > 0 ? t("design.page", { page: here, pages }) : t("design.loading")}</span>
        <IconButton size="sm" label={t("design.next")} icon={<ChevronRight size={16} />} disabled={here >= pages} onClick={() => setPage(here + 1)} />
        <Button
          size="sm"
          icon={<Download size={14} aria-hidden />}
          disabled={pages === 0 || Boolean(shown?.problem)}
          onClick={() => void download(path, withSample(design)).catch((error: unknown) => setShown({ pages, problem: problemOf(error, t) }))}
        >
          {t("design.pdf")}
        </Button>
      </div>
    </div>
  );
}

function withSample(design: JsonObject): { design: JsonObject; data: JsonObject } {
  return { design, data: isJsonObject(design["sample"]) ? design["sample"] : {} };
}

function problemOf(error: unknown, t: (key: "design.unreachable") => string): string {
  return error instanceof ApiError ? error.message : t("design.unreachable");
}

/** What of a refusal says where it belongs; null where nobody can tell, as without a connection. */
function placed(error: unknown): Problem | null {
  if (!(error instanceof ApiError) || error.code !== "document_refused") return null;
  const block = Number(error.params["block"] ?? NaN);
  return { message: error.message, block: Number.isInteger(block) ? block : null, field: typeof error.params["field"] === "string" ? error.params["field"] : "" };
}

/** Puts one page onto the canvas; resolves to how many there are. */
async function draw(path: string, body: object, canvas: HTMLCanvasElement | null, signal: AbortSignal): Promise<number> {
  const answer = await call<Blob>("POST", path, { body, file: true, signal });
  const picture = await createImageBitmap(answer.data);
  if (canvas && !signal.aborted) {
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
  }
  return Number(answer.headers.get("X-Pages") ?? 1);
}

async function download(path: string, body: object): Promise<void> {
  const answer = await call<Blob>("POST", path, { body: { ...body, form: "pdf" }, file: true });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(answer.data);
  link.download = "preview.pdf";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
