import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { useAskable } from "../../api/people";
import { workspacePath } from "../../api/queries";
import type { HandedOver, HandoverView, ThingView } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Member } from "../../api/types";
import { ConfirmDialog, ErrorCard, Note, SelectField, showToast, SkeletonRows, TextField, useFormatter } from "../../ui";
import css from "./access.module.css";
import { byKind } from "./hands";

/** So many of a kind are named. */
const MOST_NAMED = 8;

/** What hangs on a member goes to another; with `removing` before they are taken out, if anybody is chosen. */
export default function HandOverDialog({ member, removing, onClose }: { member: Member; removing: boolean; onClose: () => void }) {
  const { t } = useTranslation(["access", "settings"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const format = useFormatter();
  const people = useAskable().data?.people ?? [];
  const name = member.name || member.email;
  const [to, setTo] = useState("");
  const [reason, setReason] = useState(removing ? t("handOver.leaves", { name }) : "");
  const [soFar, setSoFar] = useState(0);
  const path = `${workspacePath(workspace)}/members/${member.id}`;
  const plan = useQuery({
    queryKey: [workspace, "members", member.id, "handover", to],
    queryFn: ({ signal }) => api.get<HandoverView>(`${path}/handover`, { query: to ? { to } : {}, signal }),
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
  const heir = people.find((one) => one.member === to)?.name ?? "";
  const things = plan.data?.things ?? [];
  const more = Math.max(0, (plan.data?.questions ?? 0) - things.filter((one) => one.kind === "question").length);
  const possible = things.filter((one) => one.why === null).length + more;
  const act = useMutation({
    mutationFn: async (): Promise<number> => {
      if (!to) {
        await api.delete(path, { idempotencyKey: newIdempotencyKey() });
        return 0;
      }
      // Each request does what it can in its time; what was handed over is not listed again.
      for (let done = 0; ; ) {
        const body = { to, reason: reason.trim(), remove: removing };
        const got = await api.post<HandedOver>(`${path}/handover`, body, { idempotencyKey: newIdempotencyKey() });
        done += got.done;
        setSoFar(done);
        if (!got.left) return done;
      }
    },
    onSuccess: (done) => {
      onClose();
      showToast({
        title: removing ? t("settings:members.removed", { name }) : t("handOver.done", { name, heir, count: done, number: format.number(done) }),
        text: removing && done > 0 ? t("handOver.done", { name, heir, count: done, number: format.number(done) }) : "",
      });
    },
    // Also where it stopped in between: what is done is done.
    onSettled: () => client.invalidateQueries({ queryKey: [workspace] }),
  });
  const nothing = plan.data !== undefined && things.length === 0 && plan.data.stays.length === 0;
  const choose = [
    { value: "", label: t(removing ? "handOver.nobody" : "handOver.choose") },
    ...people.filter((one) => one.member !== member.id).map((one) => ({ value: one.member, label: one.name || one.email })),
  ];
  const ready = to ? reason.trim() !== "" && plan.isSuccess && !plan.isPlaceholderData && (removing || possible > 0) : removing;
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t(removing ? "settings:members.removeTitle" : "handOver.title", { name })}
      confirm={t(!removing ? "handOver.confirm" : to ? "handOver.confirmRemove" : "settings:members.removeConfirm")}
      variant={removing ? "dangerFilled" : "primary"}
      busy={act.isPending}
      disabled={!ready}
      onConfirm={() => act.mutate()}
    >
      {act.isError && <ErrorCard title={t(soFar > 0 ? "handOver.stopped" : removing ? "settings:members.removeFailed" : "handOver.failed", { count: soFar, number: format.number(soFar) })} error={act.error} />}
      <p>{removing ? t("settings:members.removeText") : t("handOver.lead", { name })}</p>
      {plan.isError && <ErrorCard title={t("handOver.planFailed")} error={plan.error} onRetry={() => void plan.refetch()} />}
      {plan.isPending && <SkeletonRows rows={3} height={20} label={t("loading")} />}
      {nothing && <p className={css.none}>{t("handOver.nothing", { name })}</p>}
      {things.length > 0 && (
        <>
          <SelectField label={t("handOver.to")} value={to} options={choose} onChange={setTo} />
          {to && <TextField label={t("handOver.reason")} value={reason} maxLength={400} autoComplete="off" onChange={(event) => setReason(event.currentTarget.value)} />}
        </>
      )}
      {plan.data && (
        <div className={css.plan} aria-busy={plan.isPlaceholderData || undefined} role="group" aria-label={t("handOver.plan")}>
          <Part title={to ? t("handOver.goes", { heir }) : t(removing ? "handOver.has" : "handOver.of", { name })} things={things.filter((one) => one.why === null)} more={more} />
          <Part title={t("handOver.cannot", { heir })} things={things.filter((one) => one.why !== null)} more={0} heir={heir} />
          <Stays stays={plan.data.stays} name={name} />
          {removing && !to && plan.data.alone > 0 && (
            <Note tone="wait">
              {t("handOver.alone", { count: plan.data.alone, number: format.number(plan.data.alone) })}{" "}
              <Link to="/inbox" search={{ who: "anybody" }}>
                {t("handOver.see")}
              </Link>
            </Note>
          )}
        </div>
      )}
    </ConfirmDialog>
  );
}

/** Things by their kind; with `heir` why they cannot be handed over. */
function Part({ title, things, more, heir }: { title: string; things: readonly ThingView[]; more: number; heir?: string }) {
  const { t } = useTranslation("access");
  const format = useFormatter();
  if (things.length === 0 && more === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul className={css.lines}>
        {byKind(things, more).map(({ kind, why, count, found }) => {
          const left = count - Math.min(found.length, MOST_NAMED);
          return (
            <li key={`${kind} ${why}`}>
              {t(`handOver.kind.${kind}`, { count, number: format.number(count) })}:{" "}
              {found.slice(0, MOST_NAMED).map((one, place) => (
                <span key={one.id}>
                  {place > 0 && ", "}
                  <Named thing={one} />
                </span>
              ))}
              {left > 0 && ` ${t("handOver.more", { count: left, number: format.number(left) })}`}
              {heir !== undefined && why && <small> · {t(`handOver.why.${why}`, { heir, defaultValue: t("handOver.why.gone") })}</small>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Named({ thing }: { thing: ThingView }): ReactNode {
  if (thing.kind === "workflow") {
    return (
      <Link to="/workflows/$id/settings" params={{ id: thing.id }}>
        {thing.name}
      </Link>
    );
  }
  if (thing.kind === "step") {
    return (
      <Link to="/workflows/$id/build" params={{ id: thing.id }}>
        {thing.name}
      </Link>
    );
  }
  if (thing.kind === "question") {
    return (
      <Link to="/inbox" search={{ who: "anybody", task: thing.id }}>
        {thing.name}
      </Link>
    );
  }
  return thing.name;
}

/** What nobody can be given. */
function Stays({ stays, name }: { stays: readonly ThingView[]; name: string }) {
  const { t } = useTranslation("access");
  if (stays.length === 0) return null;
  return (
    <section>
      <h3>{t("handOver.stays")}</h3>
      <ul className={css.lines}>
        {byKind(stays, 0).map(({ kind, found }) => (
          <li key={kind}>
            {t(`handOver.stay.${kind}`, { name })}{" "}
            {found.slice(0, MOST_NAMED).map((one, place) => (
              <span key={one.id}>
                {place > 0 && ", "}
                <Named thing={one} />
              </span>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
