import { useNavigate } from "@tanstack/react-router";
import { Menu } from "@mantine/core";
import { ChevronDown, CornerDownRight, RefreshCw, RotateCcw } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import type { GraphNode, StepSpec } from "../../api/types";
import { indexOf } from "../../graph/indexes";
import { useRun, useRunStep } from "../../live";
import { Button, Dialog, IconButton, isUndoIncomplete } from "../../ui";
import { runTitle } from "../runs/words";
import css from "./retry.module.css";
import { canStartFrom, isRetryable } from "./retry";
import { RetryForm } from "./RetryForm";
import { StartAnew } from "./StartAnew";

type Wish =
  /** `start`: steps to go on from besides those that failed; `focus`: the step to edit at once. */
  { kind: "retry"; start: readonly string[]; focus: string | null } | { kind: "anew" };

const RetryingContext = createContext<((wish: Wish) => void) | null>(null);

/** How to ask for a retry of this run; null where it cannot be gone on with, or the person may not. */
export function useRetrying(): ((wish: Wish) => void) | null {
  const ask = useContext(RetryingContext);
  const allowed = useCan("reviewer");
  const possible = useRun((state) => state.run !== null && isRetryable(state.run));
  return allowed && possible ? ask : null;
}

/** Around what shows another run than the page does. */
export function NotRetrying({ children }: { children: ReactNode }) {
  return <RetryingContext.Provider value={null}>{children}</RetryingContext.Provider>;
}

/** Whether this is an undo step: a retry goes the way forward, of which it is no part. */
export function useUndoes(node: string | undefined): boolean {
  return useRun((state) => node !== undefined && state.graph !== null && indexOf(state.graph).undoes.has(node));
}

interface RetryingProps {
  specs: Readonly<Record<string, StepSpec>>;
  /** The run is another one than is shown: read it again. */
  onChanged: () => void;
  children: ReactNode;
}

/** Holds the dialogs with which a run is gone on with, for every place that opens them. */
export function Retrying({ specs, onChanged, children }: RetryingProps) {
  const { t } = useTranslation("runs");
  const navigate = useNavigate();
  const run = useRun((state) => state.run);
  const [wish, setWish] = useState<Wish | null>(null);
  const [opened, setOpened] = useState(false);
  const ask = useCallback((next: Wish) => {
    setWish(next);
    setOpened(true);
  }, []);
  const close = () => setOpened(false);
  return (
    <RetryingContext.Provider value={ask}>
      {children}
      {run && (
        <>
          <Dialog
            opened={opened && wish?.kind === "retry"}
            onClose={close}
            title={t("retry.title", { name: runTitle(run) })}
            size={680}
          >
            {wish?.kind === "retry" && (
              <RetryForm
                run={run}
                start={wish.start}
                focus={wish.focus}
                specs={specs}
                onClose={close}
                onChanged={onChanged}
              />
            )}
          </Dialog>
          <Dialog
            opened={opened && wish?.kind === "anew"}
            onClose={close}
            title={t("anew.title", { name: runTitle(run) })}
          >
            <StartAnew
              run={run}
              onClose={close}
              onStarted={(other) => {
                close();
                void navigate({ to: "/runs/$runId", params: { runId: other.id } });
              }}
            />
          </Dialog>
        </>
      )}
    </RetryingContext.Provider>
  );
}

/** In the bar of a run that failed, was cancelled or undone: go on, or one of the other ways to. */
export function RetryMenu({ node, spec }: { node: GraphNode | undefined; spec: StepSpec | undefined }) {
  const { t } = useTranslation("runs");
  const ask = useRetrying();
  const step = useRunStep(node?.id ?? "");
  // What was undone is at rest: nothing waits to be gone on with.
  const incomplete = useRun((state) => state.run !== null && isUndoIncomplete(state.run));
  const rests = useRun((state) => state.run?.status === "compensated");
  // Where an undo did not end, undoing again comes first, and going forward is one of the other ways.
  const variant = rests || incomplete ? "default" : "primary";
  const arrow = useRef<HTMLButtonElement>(null);
  const undoes = useUndoes(node?.id);
  const from = node && !undoes && canStartFrom(step, spec) ? node.id : null;
  if (!ask) return null;
  const choose = (wish: Wish) => {
    // The menu goes; the dialog gives the focus back to what had it.
    arrow.current?.focus();
    ask(wish);
  };
  return (
    <div className={incomplete ? undefined : css.split} data-variant={variant}>
      {!incomplete && (
        <Button
          variant={variant}
          icon={<RotateCcw size={15} aria-hidden />}
          onClick={() => ask({ kind: "retry", start: [], focus: null })}
        >
          {t("retry.button")}
        </Button>
      )}
      <Menu position="bottom-end" width={270} withinPortal shadow="md" radius={10} trapFocus withInitialFocusPlaceholder={false} returnFocus>
        <Menu.Target>
          <IconButton ref={arrow} variant={variant} label={t("retry.more")} icon={<ChevronDown size={15} />} />
        </Menu.Target>
        <Menu.Dropdown>
          {incomplete && (
            <Menu.Item leftSection={<RotateCcw size={15} />} onClick={() => choose({ kind: "retry", start: [], focus: null })}>
              {t("retry.button")}
            </Menu.Item>
          )}
          {from !== null && (
            <Menu.Item
              leftSection={<CornerDownRight size={15} />}
              onClick={() => choose({ kind: "retry", start: [from], focus: null })}
            >
              {t("retry.fromHere")}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<RefreshCw size={15} />} onClick={() => choose({ kind: "anew" })}>
            {t("anew.button")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}

/** At the foot of a step's panel: mend this step and go on, or go on from here once more. */
export function RetryStepButton({ node, spec }: { node: GraphNode; spec: StepSpec | undefined }) {
  const { t } = useTranslation("runs");
  const ask = useRetrying();
  const step = useRunStep(node.id);
  const incomplete = useRun((state) => state.run !== null && isUndoIncomplete(state.run));
  if (!ask || !step) return null;
  if (step.status === "failed" && step.ports.length === 0) {
    return (
      <Button
        variant={incomplete ? "default" : "primary"}
        icon={<RotateCcw size={15} aria-hidden />}
        onClick={() => ask({ kind: "retry", start: [], focus: node.id })}
      >
        {t("retry.fix")}
      </Button>
    );
  }
  if (!canStartFrom(step, spec)) return null;
  return (
    <Button
      icon={<CornerDownRight size={15} aria-hidden />}
      onClick={() => ask({ kind: "retry", start: [node.id], focus: null })}
    >
      {t("retry.fromHere")}
    </Button>
  );
}
