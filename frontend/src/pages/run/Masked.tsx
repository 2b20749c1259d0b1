import { Eye, EyeOff } from "lucide-react";
import { createContext, useContext, useState } from "react";
import { useTranslation } from "react-i18next";

import { parseExact } from "../../graph/exact";
import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import { useErrorText } from "../../ui";
import css from "./data.module.css";
import { askFor, type Mark } from "./marks";

/** The step whose values are shown, so that a sensitive one can be asked for; null where none can. */
export const Revealing = createContext<{ run: string; node: string } | null>(null);

/** A sensitive value: dots, and the way to see it. What was seen is kept by nothing but this, and gone with it. */
export function Masked({ mark }: { mark: Mark }) {
  const { t } = useTranslation("lookback");
  const workspace = useWorkspace().id;
  const step = useContext(Revealing);
  const may = useCan("reviewer");
  const errorText = useErrorText();
  const [seen, setSeen] = useState<{ text: string } | null>(null);
  const [state, setState] = useState<"idle" | "busy" | { error: unknown }>("idle");
  const asked = askFor(mark);
  if (seen) {
    return (
      <span className={css.masked}>
        <span>{seen.text}</span>
        <button type="button" onClick={() => setSeen(null)}>
          <EyeOff size={13} aria-hidden />
          {t("masked.hide")}
        </button>
      </span>
    );
  }
  const show = async () => {
    if (!step || !asked) return;
    setState("busy");
    try {
      const { value } = await api.post<{ value: unknown }>(`${workspacePath(workspace)}/runs/${step.run}/steps/${step.node}/reveal`, asked, { parse: parseExact });
      setSeen({ text: typeof value === "object" && value !== null && !("source" in value) ? JSON.stringify(value) : String(value) });
      setState("idle");
    } catch (error) {
      setState({ error });
    }
  };
  return (
    <span className={css.masked}>
      <span aria-hidden>••••</span>
      <span className="srOnly">{t("masked.hidden")}</span>
      {may && step && asked && (
        <button type="button" disabled={state === "busy"} onClick={() => void show()}>
          <Eye size={13} aria-hidden />
          {t("masked.show")}
        </button>
      )}
      {typeof state === "object" && <small role="alert">{errorText(state.error).title}</small>}
    </span>
  );
}
