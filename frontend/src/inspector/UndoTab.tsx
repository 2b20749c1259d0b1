import { ArrowRight, Plus, Undo2, X } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { connect, type GraphNode, operations, possibleTargets, UNDO_HANDLE, undoneStepOf, undoStepOf, undoTurns, writesOutside } from "../graph";
import { Button, cx, Tile } from "../ui";
import { useEditor, useEnvironment } from "./EditorContext";
import css from "./inspector.module.css";
import undo from "./undo.module.css";

type Choice = "step" | "nothing" | "open";

/** What takes this step back if the run has to be undone, and in which order all of it happens. */
export function UndoTab({ node, readOnly }: { node: GraphNode; readOnly: boolean }) {
  const { t } = useTranslation("inspector");
  const { store } = useEnvironment();
  const by = useEditor((state) => undoStepOf(state.document, node.id));
  const writes = useEditor((state) => state.effects[node.id]?.writes ?? writesOutside(state.specs[node.type], node));
  // "A step" is chosen before it is said which.
  const [asking, setAsking] = useState(false);
  const chosen: Choice = by || asking ? "step" : node.settings.undo === "nothing" ? "nothing" : "open";
  const choose = (next: Choice): void => {
    setAsking(next === "step");
    if (next === "step") return;
    store.edit({ key: "history.undo", params: { name: node.name } }, (draft) => operations.setNothingToUndo(draft, node.id, next === "nothing"));
  };
  return (
    <div className={css.form}>
      <fieldset className={css.choices} disabled={readOnly}>
        <legend>{t("undo.question")}</legend>
        {(["step", "nothing", "open"] as const).map((name) => (
          <div key={name} className={undo.choice}>
            <label className={cx(css.radio, chosen === name && css.on)}>
              <input type="radio" name={`undo-${node.id}`} checked={chosen === name} onChange={() => choose(name)} />
              <span>
                {t(`undo.${name}.title`)}
                <small>{t(name === "open" && !writes ? "undo.open.reads" : `undo.${name}.text`, { name: node.name })}</small>
              </span>
            </label>
            {name === "step" && by && <Chosen step={by} readOnly={readOnly} />}
            {name === "step" && !by && asking && !readOnly && <Candidates node={node} onDone={() => setAsking(false)} />}
          </div>
        ))}
      </fieldset>
      <Order node={node} />
    </div>
  );
}

function Chosen({ step, readOnly }: { step: GraphNode; readOnly: boolean }) {
  const { t } = useTranslation("inspector");
  const { store, goTo, remove } = useEnvironment();
  const spec = useEditor((state) => state.specs[step.type]);
  return (
    <div className={undo.step} data-testid="undo-step">
      <Tile icon={spec?.icon} category={spec?.category ?? "app"} size="sm" />
      <b>{step.name}</b>
      <Button variant="link" onClick={() => goTo(step.id)}>
        {t("undo.go")} <ArrowRight size={13} aria-hidden />
      </Button>
      {!readOnly && (
        <Button
          size="sm"
          icon={<X size={13} aria-hidden />}
          aria-label={t("undo.removeStep", { name: step.name })}
          onClick={() => {
            store.select([step.id]);
            remove();
          }}
        >
          {t("undo.remove")}
        </Button>
      )}
    </div>
  );
}

/** Steps that hang nowhere yet, or a new one. */
function Candidates({ node, onDone }: { node: GraphNode; onDone(): void }) {
  const { t } = useTranslation("inspector");
  const { store, addUndo } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const button = useRef<HTMLButtonElement>(null);
  const free = possibleTargets(document, specs, node.id, UNDO_HANDLE);
  return (
    <div className={undo.candidates}>
      {document.nodes.filter((step) => free.includes(step.id)).map((step) => (
        <Button
          key={step.id}
          size="sm"
          icon={<Undo2 size={14} aria-hidden />}
          onClick={() => {
            connect(store, node.id, UNDO_HANDLE, step.id);
            onDone();
          }}
        >
          {t("undo.use", { name: step.name })}
        </Button>
      ))}
      <Button
        ref={button}
        size="sm"
        variant="soft"
        icon={<Plus size={14} aria-hidden />}
        onClick={() => {
          const box = button.current?.getBoundingClientRect();
          addUndo(node.id, { clientX: (box?.left ?? 0) + 80, clientY: box?.bottom ?? 0 });
        }}
      >
        {t("undo.choose")}
      </Button>
    </div>
  );
}

/** What would be undone of the way up to here, in the order in which it would be. */
function Order({ node }: { node: GraphNode }) {
  const { t } = useTranslation("inspector");
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const turns = undoTurns(document, specs, node.id);
  return (
    <section className={css.fieldGroup}>
      <h3>{t("undo.order")}</h3>
      <p className={css.hint}>{t(turns.length > 0 ? "undo.orderText" : "undo.orderNone")}</p>
      <ol className={undo.order}>
        {turns.map(({ action, by, open }) => (
          <li key={action.id} data-state={by ? "undone" : open ? "open" : "nothing"}>
            {by ? t("undo.turn", { step: by.name, action: action.name }) : t(open ? "undo.turnOpen" : "undo.turnNothing", { action: action.name })}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** At the top of an undo step: what it undoes. */
export function UndoesLine({ node }: { node: GraphNode }) {
  const { t } = useTranslation("inspector");
  const { goTo } = useEnvironment();
  const action = useEditor((state) => undoneStepOf(state.document, node.id));
  if (!action) return null;
  return (
    <p className={undo.line} data-testid="undoes">
      <Undo2 size={15} aria-hidden />
      <span>{t("undo.undoes", { name: action.name })}</span>
      <Button variant="link" onClick={() => goTo(action.id)}>
        {t("undo.go")} <ArrowRight size={13} aria-hidden />
      </Button>
    </p>
  );
}
