import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { keyForEach } from "../api/client";
import type { StoredFile } from "../api/files";
import { useWorkspace } from "../api/session";
import { type Ask, type CheckBody, checkUpload, type GivenFormat, leaveOut, lookAtUpload, type Ran, type Sources } from "../api/intake";
import type { Json } from "../graph";
import type { InputField } from "../inspector/inputFields";
import { CheckboxField, ErrorCard, Note, SkeletonRows, useFormatter } from "../ui";
import { Columns } from "./Columns";
import { Format } from "./Format";
import { allAsked, chosen, type Missing, said, standing, unmapped } from "./intake";
import css from "./intake.module.css";
import { Preview } from "./Preview";
import { Questions } from "./Questions";
import { Report } from "./Report";
import { Section } from "./Section";

interface UnderstoodProps {
  workflow: string;
  field: InputField;
  file: StoredFile;
  onReady(value: Json, missing: Missing): void;
}

/** What was understood of a file, what is to be said about it, and what does not fit. */
export function Understood({ workflow, field, file, onReady }: UnderstoodProps) {
  const { t } = useTranslation("intake");
  const workspace = useWorkspace().id;
  const [given, setGiven] = useState<GivenFormat>({});
  const [sources, setSources] = useState<Sources | null>(null);
  const [asked, setAsked] = useState<readonly Ask[]>([]);
  const [again, setAgain] = useState(false);
  const [goOn, setGoOn] = useState(false);
  const key = useRef<(body: unknown) => string>(null);
  key.current ??= keyForEach();

  const looking = { file: file.id, question: field.name, columns: field.columns, format: given, sources };
  const look = useQuery({
    queryKey: [workspace, "table-look", workflow, looking],
    queryFn: ({ signal }) => lookAtUpload(workspace, workflow, looking, signal),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    // Whether it ran meanwhile is asked anew whenever the page is opened.
    gcTime: 0,
    retry: false,
  });
  const seen = look.data;
  // What was chosen last counts at once: the next choice is made before the server has answered to this one.
  const current = sources ?? seen?.sources;
  const settled = seen !== undefined && !look.isPlaceholderData;
  const body = useMemo<CheckBody | null>(
    () => (seen ? { file: file.id, columns: field.columns, format: seen.format, sources: seen.sources } : null),
    [seen, file.id, field.columns],
  );
  const mayCheck = settled && body !== null && seen.asks.length === 0 && unmapped(field.columns, seen.sources).length === 0;
  const check = useQuery({
    queryKey: [workspace, "table-check", workflow, body],
    queryFn: ({ signal }) => checkUpload(workspace, workflow, body as CheckBody, signal),
    enabled: mayCheck,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const leaving = useMutation({ mutationFn: (of: CheckBody) => leaveOut(workspace, workflow, of, key.current?.(of) ?? "") });
  const left = leaving.data && leaving.variables === body ? leaving.data : null;

  const { missing, value } = standing({
    look: settled ? seen : undefined,
    check: mayCheck ? check.data : undefined,
    columns: field.columns,
    without: goOn ? left : null,
    again,
  });
  const hear = useRef(onReady);
  useEffect(() => {
    hear.current = onReady;
  });
  useEffect(() => hear.current(value, missing), [value, missing]);
  useEffect(() => {
    if (seen) setAsked((before) => allAsked(before, seen.asks));
  }, [seen]);
  // Who changes how the file is read has said nothing yet about the rows that do not fit then.
  useEffect(() => setGoOn(false), [body]);

  const change = (part: GivenFormat): void => {
    const next = said(given, part);
    setGiven(next.given);
    if (next.anew) setSources(null);
    else if (current) setSources(current);
  };
  if (look.isError && !look.isFetching) {
    return <ErrorCard title={t("unreadable")} error={look.error} onRetry={Object.keys(given).length > 0 ? () => setGiven({}) : () => void look.refetch()} />;
  }
  if (!seen) return <SkeletonRows rows={4} label={t("looking")} />;
  return (
    <div className={css.steps} aria-busy={look.isFetching}>
      {seen.ran.length > 0 && <RanBefore ran={seen.ran} again={again} onAgain={setAgain} />}
      <Section number={1} title={t("format.title")} done={seen.asks.length === 0}>
        <Format look={seen} columns={field.columns} onChange={change} />
        <Questions asked={asked} open={seen.asks} columns={field.columns} format={given} onAnswer={change} />
      </Section>
      <Section number={2} title={t("columns.title")} done={unmapped(field.columns, current ?? {}).length === 0}>
        <Columns look={seen} sources={current ?? {}} columns={field.columns} onChoose={(name, header) => setSources((before) => chosen(before ?? seen.sources, name, header))} />
        <Preview look={seen} columns={field.columns} />
      </Section>
      <Section number={3} title={t("rows.title")} done={missing === null || missing === "again"}>
        <Report
          check={mayCheck ? check.data : undefined}
          busy={mayCheck && check.isFetching}
          error={mayCheck ? check.error : null}
          columns={field.columns}
          left={left}
          leaving={leaving.isPending}
          leavingError={leaving.error}
          goOn={goOn}
          onLeave={async () => (body ? (left ?? (await leaving.mutateAsync(body))) : null)}
          onGoOn={setGoOn}
          onRetry={() => void check.refetch()}
        />
      </Section>
    </div>
  );
}

/** The same bytes ran before: said on top, and agreed to before they run again. */
function RanBefore({ ran, again, onAgain }: { ran: readonly Ran[]; again: boolean; onAgain(on: boolean): void }) {
  const { t } = useTranslation("intake");
  const format = useFormatter();
  return (
    <div role="alert" data-testid="ran-before">
      <Note tone="wait">
        {ran.map((one) => (
          <p key={one.run_id}>
            {t(one.by ? "ran.by" : "ran.at", { when: format.dayClock(one.at), by: one.by })}{" "}
            {/* A page of its own: this one is half filled in. */}
            <Link to="/runs/$runId" params={{ runId: one.run_id }} target="_blank">
              {one.key ?? t("ran.run", { file: one.file })}
            </Link>
          </p>
        ))}
        <CheckboxField label={t("ran.again")} checked={again} onChange={onAgain} />
      </Note>
    </div>
  );
}
