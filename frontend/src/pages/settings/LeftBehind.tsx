import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { LeavingView } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import { ErrorCard, Note, useFormatter } from "../../ui";

/** What hangs on somebody alone who is to be removed: questions, which go to the admins, and workflows. */
export function LeftBehind({ member }: { member: { id: string } }) {
  const { t } = useTranslation("settings");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const query = useQuery({
    queryKey: [workspace, "members", member.id, "leaving"],
    queryFn: ({ signal }) => api.get<LeavingView>(`${workspacePath(workspace)}/members/${member.id}/leaving`, { signal }),
    staleTime: 0,
  });
  if (query.isError) return <ErrorCard title={t("leaving.failed")} error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return null;
  const { questions, owned, workflows } = query.data;
  if (questions === 0 && owned === 0) return null;
  const more = owned - workflows.length;
  return (
    <Note tone="wait">
      {questions > 0 && (
        <p>
          {t("leaving.questions", { count: questions, number: format.number(questions) })}{" "}
          <Link to="/inbox" search={{ who: "anybody" }}>
            {t("leaving.see")}
          </Link>
        </p>
      )}
      {owned > 0 && (
        <p>
          {t("leaving.owns", { count: owned, number: format.number(owned) })}{" "}
          {workflows.map((one, place) => (
            <span key={one.id}>
              {place > 0 && ", "}
              <Link to="/workflows/$id/settings" params={{ id: one.id }}>
                {one.name}
              </Link>
            </span>
          ))}
          {more > 0 && ` ${t("leaving.more", { count: more, number: format.number(more) })}`}
        </p>
      )}
    </Note>
  );
}
