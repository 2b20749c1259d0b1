import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Download } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, ApiError, call } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { isJsonObject, type Json, type JsonObject, same } from "../../graph";
import { parseExact } from "../../graph/exact";
import { Button, cx, IconButton } from "../../ui";
import { useEnvironment } from "../EditorContext";
import css from "../inspector.module.css";
import type { WidgetProps } from "../Widget";
import own from "./design.module.css";
import { JsonField } from "./JsonField";

interface Ready {
  id: string;
  name: string;
  design: JsonObject;
}

/** What a document looks like: begun with a ready design, shown with its sample data while it is changed. */
export default function Design(props: WidgetProps) {
  const { t } = useTranslation("inspector");
  const { workspace } = useEnvironment();
  const { id, value, onChange, readOnly } = props;
  const ready = useQuery({
    queryKey: [workspace, "designs"],
    queryFn: ({ signal }) =>
      api.get<{ items: Ready[] }>(`${workspacePath(workspace)}/documents/designs`, { signal, parse: parseExact }),
    staleTime: Infinity,
  });
  const design = isJsonObject(value) && Object.keys(value).length > 0 ? value : null;
  const items = ready.data?.items ?? [];
  const chosen = items.find((one) => same(one.design, design as Json))?.id ?? "";
  return (
    <div className={own.design}>
      {!readOnly && (
        <select
          id={id}
          className={cx(css.input, css.select)}
          value={chosen}
          aria-label={t("design.begin")}
          aria-describedby={props.describedBy}
          onChange={(event) => {
            const found = items.find((one) => one.id === event.currentTarget.value);
            if (found) onChange(found.design);
          }}
        >
          <option value="" disabled>
            {design ? t("design.own") : t("design.choose")}
          </option>
          {items.map((one) => (
            <option key={one.id} value={one.id}>
              {t(`design.ready.${one.id}`, { defaultValue: one.name })}
            </option>
          ))}
        </select>
      )}
      {ready.isError && (
        <p className={css.error}>
          {t("design.failed")} <Button size="sm" onClick={() => void ready.refetch()}>{t("workflow.again")}</Button>
        </p>
      )}
      {design && (
        <>
          <Preview design={design} />
          <details className={own.text}>
            <summary>{t("design.asText")}</summary>
            <p>{t("design.textHint")}</p>
            <JsonField {...props} id={`${id}-text`} />
          </details>
        </>
      )}
    </div>
  );
}

const WIDE = 760;
const REST = 350;

interface Shown {
  pages: number;
  problem: string;
}

function Preview({ design }: { design: JsonObject }) {
  const { t } = useTranslation("inspector");
  const { workspace } = useEnvironment();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [page, setPage] = useState(1);
  const [shown, setShown] = useState<Shown | null>(null);
  const path = `${workspacePath(workspace)}/documents/preview`;
  useEffect(() => {
    const gone = new AbortController();
    const timer = setTimeout(() => {
      draw(path, { ...withSample(design), page, wide: WIDE }, canvas.current, gone.signal).then(
        (pages) => setShown({ pages, problem: "" }),
        (error: unknown) => {
          if (gone.signal.aborted) return;
          setShown((before) => ({ pages: before?.pages ?? 0, problem: problemOf(error, t) }));
        },
      );
    }, REST);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [design, page, path, t]);
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
