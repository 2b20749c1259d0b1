import { useQuery } from "@tanstack/react-query";
import { FilePlus, PenLine } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import type { ReadyDesign } from "../../api/documents";
import { workspacePath } from "../../api/queries";
import { isJsonObject, type Json, same } from "../../graph";
import { parseExact } from "../../graph/exact";
import { Button, cx } from "../../ui";
import { blankDesign } from "../designer/edit";
import { Preview } from "../designer/Preview";
import { useEnvironment } from "../EditorContext";
import css from "../inspector.module.css";
import type { WidgetProps } from "../Widget";
import own from "./design.module.css";
import { JsonField } from "./JsonField";

const Designer = lazy(() => import("../designer/Designer"));

/** What a document looks like: begun with a ready design, shown with its sample data while it is changed. */
export default function Design(props: WidgetProps) {
  const { t, i18n } = useTranslation("inspector");
  const { workspace } = useEnvironment();
  const [opened, setOpened] = useState(false);
  const { id, value, onChange, readOnly } = props;
  const ready = useQuery({
    queryKey: [workspace, "designs"],
    queryFn: ({ signal }) =>
      api.get<{ items: ReadyDesign[] }>(`${workspacePath(workspace)}/documents/designs`, { signal, parse: parseExact }),
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
      {!readOnly && (
        <div className={own.buttons}>
          {design ? (
            <Button variant="soft" icon={<PenLine size={15} aria-hidden />} aria-haspopup="dialog" onClick={() => setOpened(true)}>
              {t("design.open")}
            </Button>
          ) : (
            <Button
              icon={<FilePlus size={15} aria-hidden />}
              aria-haspopup="dialog"
              onClick={() => {
                onChange(blankDesign(t("design.blankTitle"), i18n.language, {}));
                setOpened(true);
              }}
            >
              {t("design.blank")}
            </Button>
          )}
        </div>
      )}
      {opened && design && (
        <Suspense>
          <Designer design={design} ready={items} node={props.node} data={props.config["data"]} onChange={onChange} onClose={() => setOpened(false)} />
        </Suspense>
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
