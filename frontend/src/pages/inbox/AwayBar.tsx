import { useMutation } from "@tanstack/react-query";
import { Palmtree, UserRoundCheck } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useAbsences, useAskedAnew } from "../../api/absences";
import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import { Button, ErrorCard } from "../../ui";
import { useAwayWords } from "./away";
import css from "./away.module.css";

/** That I am away, and for whom I stand in; nothing else is there for most people most of the time. */
export function AwayBar() {
  const { t } = useTranslation("away");
  const workspace = useWorkspace().id;
  const words = useAwayWords();
  const absences = useAbsences().data ?? [];
  const askedAnew = useAskedAnew();
  const back = useMutation({
    mutationFn: () => api.delete(`${workspacePath(workspace)}/absences/mine`, { idempotencyKey: newIdempotencyKey() }),
    onSuccess: askedAnew,
  });
  const mine = absences.find((one) => one.who.me && one.holds);
  const others = absences.filter((one) => one.holds && one.hand?.me);
  if (!mine && others.length === 0) return null;
  return (
    <div className={css.bar}>
      {mine && (
        <p>
          <Palmtree size={15} aria-hidden />
          <span role="status">{words.mine(mine)}</span>
          <Button size="sm" busy={back.isPending} onClick={() => back.mutate()}>
            {t("back")}
          </Button>
        </p>
      )}
      {back.isError && <ErrorCard title={t("failed")} error={back.error} />}
      {others.map((one) => (
        <p key={one.who.member}>
          <UserRoundCheck size={15} aria-hidden />
          <span role="status">
            {t(one.last_day ? "others.until" : "others.open", { name: one.who.name, day: one.last_day ? words.day(one.last_day) : "" })}
            {one.note && <q>{one.note}</q>}
          </span>
        </p>
      ))}
    </div>
  );
}
