import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { changesBetween, type GraphDocument } from "../../graph";
import { useEditor } from "../../inspector/EditorContext";
import { Button, Dialog, Time } from "../../ui";
import type { Autosave } from "./autosave";
import { ChangeList } from "./ChangeList";
import css from "./states.module.css";

/** Two people changed the same step: one of the two versions has to be chosen. */
export function ConflictDialog({ autosave }: { autosave: Autosave }) {
  const { t } = useTranslation("editor");
  const theirs = useStore(autosave.state, (state) => state.theirs);
  const document = useEditor((state) => state.document);
  const [compared, setCompared] = useState(false);
  if (!theirs) return null;
  const names = theirs.steps.map(
    (id) => (document.nodes.find((node) => node.id === id) ?? theirs.graph.nodes.find((node) => node.id === id))?.name ?? id,
  );
  const who = theirs.by ?? t("conflict.somebody");
  return (
    <Dialog
      opened
      stubborn
      onClose={() => undefined}
      title={t("conflict.title", { who })}
      size={compared ? 640 : 480}
      footer={
        <>
          <Button onClick={() => autosave.decide("theirs")}>{t("conflict.theirs")}</Button>
          <Button variant="primary" onClick={() => autosave.decide("mine")}>
            {t("conflict.mine")}
          </Button>
        </>
      }
    >
      <p>{t("conflict.text", { names: names.join(", "), who })}</p>
      <p>
        {t("conflict.savedBy", { who })} <Time at={theirs.at} />
      </p>
      <p>{t("conflict.effect")}</p>
      <div>
        <Button size="sm" aria-expanded={compared} onClick={() => setCompared(!compared)}>
          {compared ? t("conflict.hide") : t("conflict.compare")}
        </Button>
      </div>
      {compared && <Comparison steps={theirs.steps} theirs={theirs.graph} mine={document} who={who} />}
    </Dialog>
  );
}

/** What each side did to the steps in question, since the draft that both began with. */
function Comparison({ steps, theirs, mine, who }: { steps: readonly string[]; theirs: GraphDocument; mine: GraphDocument; who: string }) {
  const { t } = useTranslation("editor");
  const saved = useEditor((state) => state.saved);
  const specs = useEditor((state) => state.specs);
  const about = (document: GraphDocument): GraphDocument => ({ ...document, nodes: document.nodes.filter((node) => steps.includes(node.id)), edges: [], annotations: [] });
  const sides = [
    { title: t("conflict.yours"), changes: changesBetween(about(saved), about(mine), specs) },
    { title: t("conflict.others", { who }), changes: changesBetween(about(saved), about(theirs), specs) },
  ];
  return (
    <div className={css.compare} data-testid="conflict-compare">
      {sides.map((side) => (
        <section key={side.title}>
          <h3>{side.title}</h3>
          <ChangeList changes={side.changes} />
        </section>
      ))}
    </div>
  );
}
