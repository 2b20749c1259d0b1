import { useQuery } from "@tanstack/react-query";
import { ExternalLink, Workflow as Icon } from "lucide-react";
import { useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { useWorkflow, workspacePath } from "../../api/queries";
import type { Page, Workflow } from "../../api/types";
import { indexOf, operations } from "../../graph";
import { workflowText } from "../../i18n/summaries";
import { Button, cx } from "../../ui";
import { useEditor, useEnvironment } from "../EditorContext";
import css from "../inspector.module.css";
import rules from "../rules.module.css";
import type { WidgetProps } from "../Widget";
import { textOf } from "./basic";
import { Searched, useSearch } from "./Searched";
import own from "./workflow.module.css";

/** Chooses one of the workflows that others can run: those whose live version has the start for it. */
export default function WorkflowPicker({ id, field, node, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const current = textOf(value);
  const [opened, setOpened] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const list = useId();
  const close = (): void => {
    setOpened(false);
    opener.current?.focus();
  };
  const pick = useNaming(node, (workflow) => {
    onChange(workflow.id);
    close();
  });
  return (
    <div className={rules.connection}>
      <button
        ref={opener}
        type="button"
        id={id}
        className={cx(css.input, css.select, own.chosen, invalid && own.invalid)}
        disabled={readOnly}
        aria-label={field.title}
        aria-expanded={opened}
        aria-controls={opened ? list : undefined}
        aria-describedby={describedBy}
        onClick={() => setOpened(!opened)}
      >
        {current ? <Named id={current} /> : <i>{t("workflow.choose")}</i>}
      </button>
      {opened && <Choices id={list} label={field.title} onPick={pick} onClose={close} />}
      {current !== "" && (
        <a className={rules.createLink} href={`/workflows/${current}/build`} target="_blank" rel="noreferrer">
          {t("workflow.open")} <ExternalLink size={12} aria-hidden />
        </a>
      )}
    </div>
  );
}

/** A step that nobody has named yet is called after the workflow that it runs. */
function useNaming(node: string, choose: (workflow: Workflow) => void): (workflow: Workflow) => void {
  const { store } = useEnvironment();
  const title = useEditor((state) => state.specs[indexOf(state.document).byId.get(node)?.type ?? ""]?.title ?? "");
  const name = useEditor((state) => indexOf(state.document).byId.get(node)?.name ?? "");
  return (workflow) => {
    choose(workflow);
    if (title === "" || name.replace(/ \d+$/, "") !== title) return;
    store.edit({ key: "history.rename", params: { name: workflow.name } }, (draft) => operations.renameStep(draft, node, workflow.name));
  };
}

function Named({ id }: { id: string }) {
  const { t } = useTranslation("inspector");
  const workflow = useWorkflow(id);
  return (
    <span className={own.name}>
      <Icon size={15} aria-hidden />
      <span>{workflow.data?.name ?? (workflow.isError ? t("workflow.gone") : "…")}</span>
    </span>
  );
}

function Choices({ id, label, onPick, onClose }: { id: string; label: string; onPick(workflow: Workflow): void; onClose(): void }) {
  const { t } = useTranslation("inspector");
  const { workspace, workflow: itself } = useEnvironment();
  const { typed, setTyped, q } = useSearch();
  const found = useQuery({
    queryKey: [workspace, "workflows-to-run", q],
    queryFn: ({ signal }) =>
      api.get<Page<Workflow>>(`${workspacePath(workspace)}/workflows`, { query: { start: "called", q, limit: 50 }, signal }),
    placeholderData: (before) => before,
    staleTime: 0,
  });
  const rows = found.data?.items ?? [];
  return (
    <Searched
      id={id}
      label={label}
      placeholder={t("workflow.search")}
      typed={typed}
      onType={setTyped}
      onEnter={() => rows[0] && onPick(rows[0])}
      onClose={onClose}
    >
      <ul>
        {rows.map((row) => (
          <li key={row.id}>
            <button type="button" onClick={() => onPick(row)}>
              <b>
                {row.name} {row.id === itself && <small>{t("workflow.itself")}</small>}
              </b>
              {row.sentence && <small>{workflowText(row.sentence)}</small>}
            </button>
          </li>
        ))}
      </ul>
      {found.isError && (
        <p>
          {t("workflow.failed")} <Button size="sm" onClick={() => void found.refetch()}>{t("workflow.again")}</Button>
        </p>
      )}
      {found.data && rows.length === 0 && <p>{q ? t("flyout.none", { query: q }) : t("workflow.none")}</p>}
    </Searched>
  );
}
