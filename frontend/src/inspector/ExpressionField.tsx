import type { Completion } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { findPaths, formatExact, parseTemplate, simplePath } from "../graph";
import { cx } from "../ui";
import { picker } from "./dataPicker";
import { type DataWords, rowsOf, sourcesFor, type Translate, useDataWords } from "./dataWords";
import { useDataScope } from "./DataScope";
import { useEditor, useEnvironment } from "./EditorContext";
import pick from "./data.module.css";
import { Pill } from "./Pill";

export interface ExpressionFieldProps {
  node: string;
  value: string;
  onChange(value: string): void;
  label: string;
  multiline?: boolean;
  mono?: boolean;
  placeholder?: string | undefined;
  describedBy?: string | undefined;
  invalid?: boolean;
  readOnly?: boolean;
  /** Lets the form put the focus here. */
  fieldId?: string | undefined;
}

const loadEditor = (): Promise<typeof import("./cm")> => import("./cm");

/** Warms up the editor's chunk while the person still looks at the form. */
export function preloadExpressionEditor(): void {
  void loadEditor().catch(() => undefined);
}

/** Text with data in it. Drawn as plain pills until it gets the focus; only then a text editor is made. */
export function ExpressionField(props: ExpressionFieldProps) {
  const { node, value, label, multiline = false, mono, placeholder = "", invalid, readOnly = false } = props;
  const { t: translate } = useTranslation("inspector");
  const t = translate as unknown as Translate;
  const id = useId();
  const words = useDataWords(node, props.fieldId);
  const completions = useCompletions(node, props.fieldId ?? null, t);
  const box = useRef<HTMLDivElement>(null);
  const mount = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const tools = useRef<typeof import("./cm") | null>(null);
  /** What was typed between the focus and the moment the editor stood: no key may be lost. */
  const typed = useRef("");
  const [editing, setEditing] = useState(false);
  const [ready, setReady] = useState(false);
  const latest = useRef({ props, words, completions, t });
  useLayoutEffect(() => {
    latest.current = { props, words, completions, t };
  });

  const insert = useCallback((expression: string, caret?: number) => {
    if (view.current && tools.current) tools.current.insertData(view.current, expression, caret);
  }, []);
  const announce = useCallback(() => {
    if (box.current) picker.open({ id, insert, element: box.current });
  }, [id, insert]);

  useEffect(() => {
    if (!editing) return;
    let live = true;
    announce();
    loadEditor().then(
      (module) => {
        if (!live || !mount.current) return;
        tools.current = module;
        const now = latest.current;
        view.current = module.createExpressionEditor({
          parent: mount.current,
          text: now.props.value,
          multiline: now.props.multiline ?? false,
          label: now.props.label,
          placeholder: now.props.placeholder ?? "",
          ...(now.props.describedBy ? { describedBy: now.props.describedBy } : {}),
          words: (reference) => latest.current.words(reference),
          pillTitle: (data, path) => pillTitle(data, path, latest.current.t),
          completions: () => latest.current.completions,
          onChange: (text) => latest.current.props.onChange(text),
          onFocus: announce,
          onBlur: () => {
            picker.leave(id);
            // Not at once: the flyout may have taken the focus for a moment.
            setTimeout(() => {
              if (view.current && !view.current.hasFocus && !document.activeElement?.closest("[data-flyout]")) setEditing(false);
            }, 120);
          },
          onEscape: () => {
            picker.dismiss();
            box.current?.focus();
            setEditing(false);
          },
          onPicker: () => {
            picker.show();
            announce();
          },
        });
        view.current.focus();
        if (typed.current) {
          const end = view.current.state.doc.length;
          view.current.dispatch({
            changes: { from: end, insert: typed.current },
            selection: { anchor: end + typed.current.length },
            userEvent: "input.type",
          });
          typed.current = "";
        }
        setReady(true);
      },
      () => setEditing(false),
    );
    return () => {
      live = false;
      view.current?.destroy();
      view.current = null;
      setReady(false);
    };
  }, [editing, announce, id]);

  useEffect(() => {
    // Undo and changes from elsewhere reach an open editor too.
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
    }
  }, [value]);

  const parts = useMemo(() => parseTemplate(value), [value]);
  const start = (): void => {
    if (!readOnly) setEditing(true);
  };
  const typeAhead = (event: React.KeyboardEvent): void => {
    if (readOnly || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Backspace") typed.current = typed.current.slice(0, -1);
    else if (event.key.length === 1) typed.current += event.key;
    else if (event.key === "Enter" && multiline) typed.current += "\n";
    else return;
    event.preventDefault();
    event.stopPropagation();
    start();
  };
  const pasteAhead = (event: React.ClipboardEvent): void => {
    if (readOnly) return;
    typed.current += event.clipboardData.getData("text/plain");
    event.preventDefault();
    start();
  };
  return (
    <div
      ref={box}
      className={cx(pick.expression, multiline && pick.multiline, mono && pick.monoField, editing && pick.editing, invalid && pick.invalid)}
      data-field={props.fieldId}
      // Esc leaves the text for here, not for nowhere.
      tabIndex={editing ? -1 : undefined}
    >
      {editing && <div ref={mount} className={pick.cm} />}
      {(!editing || !ready) && (
        <div
          className={cx(pick.static, editing && pick.behind)}
          role="textbox"
          aria-label={label}
          aria-multiline={multiline}
          aria-readonly={readOnly}
          aria-invalid={invalid || undefined}
          aria-describedby={props.describedBy}
          tabIndex={editing ? -1 : 0}
          onFocus={start}
          onPointerDown={start}
          onKeyDown={typeAhead}
          onPaste={pasteAhead}
        >
          {value === "" && <span className={pick.placeholder}>{placeholder}</span>}
          {parts.map((part) =>
            part.kind === "text" ? (
              <span key={part.from} className={pick.plain}>
                {part.text}
              </span>
            ) : (
              <StaticExpression key={part.from} source={part.source} words={words} t={t} />
            ),
          )}
        </div>
      )}
    </div>
  );
}

function StaticExpression({ source, words, t }: { source: string; words: ReturnType<typeof useDataWords>; t: Translate }) {
  const whole = simplePath(source);
  if (whole && (whole.path.length > 0 || whole.key !== null)) {
    const data = words(whole);
    return <Pill data={data} title={pillTitle(data, source, t)} />;
  }
  const pieces: React.ReactNode[] = [];
  let at = 0;
  for (const path of findPaths(source)) {
    if (path.from > at) pieces.push(<span key={at}>{source.slice(at, path.from)}</span>);
    const data = words(path);
    pieces.push(<Pill key={path.from} data={data} title={pillTitle(data, source.slice(path.from, path.to), t)} />);
    at = path.to;
  }
  if (at < source.length) pieces.push(<span key={at}>{source.slice(at)}</span>);
  return (
    <span className={pick.formula}>
      <span className={pick.formulaOpen}>ƒ</span>
      <span className={pick.formulaText}>{pieces}</span>
      <span className={pick.formulaClose} />
    </span>
  );
}

export function pillTitle(data: DataWords, path: string, t: Translate): string {
  if (!data.known) return t("pill.gone", { path });
  if (data.value === undefined) return path;
  const text = typeof data.value === "string" ? data.value : formatExact(data.value);
  return `${path}\n${t("pill.sample", { value: text.length > 200 ? `${text.slice(0, 199)}…` : text })}`;
}

/** Functions and data of earlier steps, for completion inside a formula. */
function useCompletions(node: string, field: string | null, t: Translate): Completion[] {
  const { functions, samples } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const scope = useDataScope();
  return useMemo(() => {
    const calls = functions.map((entry): Completion => ({ label: entry.name, detail: entry.signature.slice(entry.name.length), info: entry.help, apply: `${entry.name}(`, type: "function" }));
    const sources = scope ? scope.sources(field) : sourcesFor(document, specs, samples, node, t, field);
    const data = sources.flatMap((source) =>
      rowsOf(source, t, 120).map((row): Completion => ({ label: row.expression, detail: `${source.title} › ${[...row.trail, row.label].join(" › ")}`, type: "variable" })),
    );
    return [...data, ...calls];
  }, [document, specs, samples, functions, node, field, scope, t]);
}
