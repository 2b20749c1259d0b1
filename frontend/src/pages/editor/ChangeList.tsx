import { ArrowRight, Minus, Move, PencilLine, Plus } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Change } from "../../graph";
import { useEnvironment } from "../../inspector/EditorContext";
import { Button } from "../../ui";
import css from "./editor.module.css";

const ICONS = { added: Plus, removed: Minus, changed: PencilLine, moved: Move } as const;

/** What differs from the live version, in words. */
export function ChangeList({ changes, onGo }: { changes: readonly Change[]; onGo?: () => void }) {
  const { t } = useTranslation("editor");
  const { goTo } = useEnvironment();
  return (
    <ul className={css.changes}>
      {changes.map((change, at) => {
        const Icon = ICONS[change.kind];
        return (
          <li key={at} data-kind={change.kind}>
            <Icon size={14} aria-hidden />
            <span>{t(change.label.key, change.label.params)}</span>
            {change.node !== null && onGo && (
              <Button
                variant="link"
                onClick={() => {
                  onGo();
                  goTo(change.node ?? "");
                }}
              >
                {t("problems.goShort")} <ArrowRight size={13} aria-hidden />
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
