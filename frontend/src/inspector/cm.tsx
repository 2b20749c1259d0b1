/** The text field for formulas: CodeMirror with data as pills. A chunk of its own, loaded when a field is first needed. */
import { autocompletion, type Completion, type CompletionContext, type CompletionResult, completionStatus } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { EditorSelection, EditorState, type Extension, Prec, RangeSetBuilder } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, placeholder, ViewPlugin, type ViewUpdate, WidgetType } from "@codemirror/view";
import { createRoot, type Root } from "react-dom/client";

import { findPaths, parseTemplate, type PathReference, simplePath } from "../graph/template";
import type { DataWords } from "./dataWords";
import pick from "./data.module.css";
import { Pill } from "./Pill";

export interface ExpressionEditorOptions {
  parent: HTMLElement;
  text: string;
  multiline: boolean;
  label: string;
  labelledBy?: string;
  describedBy?: string;
  placeholder: string;
  words(reference: PathReference): DataWords;
  pillTitle(data: DataWords, path: string): string;
  completions(): Completion[];
  onChange(text: string): void;
  onFocus(): void;
  onBlur(): void;
  onEscape(): void;
  onPicker(): void;
}

class PillWidget extends WidgetType {
  private root: Root | null = null;

  constructor(
    private readonly path: string,
    private readonly data: DataWords,
    private readonly title: string,
  ) {
    super();
  }

  override eq(other: PillWidget): boolean {
    return other.path === this.path && other.data.label === this.data.label && other.data.known === this.data.known && other.title === this.title;
  }

  override toDOM(): HTMLElement {
    const holder = document.createElement("span");
    holder.className = pick.pillHolder ?? "";
    this.root = createRoot(holder);
    this.root.render(<Pill data={this.data} title={this.title} />);
    return holder;
  }

  override destroy(): void {
    const { root } = this;
    this.root = null;
    // React may be in the middle of something when CodeMirror drops the widget.
    setTimeout(() => root?.unmount(), 0);
  }

  override ignoreEvent(): boolean {
    return false;
  }
}

class BraceWidget extends WidgetType {
  constructor(private readonly open: boolean) {
    super();
  }

  override eq(other: BraceWidget): boolean {
    return other.open === this.open;
  }

  override toDOM(): HTMLElement {
    const mark = document.createElement("span");
    mark.className = (this.open ? pick.formulaOpen : pick.formulaClose) ?? "";
    mark.textContent = this.open ? "ƒ" : "";
    return mark;
  }
}

type Words = Pick<ExpressionEditorOptions, "words" | "pillTitle">;

interface Marks {
  all: DecorationSet;
  atoms: DecorationSet;
}

function marksOf(state: EditorState, options: Words): Marks {
  const all = new RangeSetBuilder<Decoration>();
  const atoms = new RangeSetBuilder<Decoration>();
  const text = state.doc.toString();
  const replace = (from: number, to: number, widget: WidgetType): void => {
    const mark = Decoration.replace({ widget });
    all.add(from, to, mark);
    atoms.add(from, to, mark);
  };
  const pill = (from: number, to: number, path: string, reference: PathReference): void => {
    const data = options.words(reference);
    replace(from, to, new PillWidget(path, data, options.pillTitle(data, path)));
  };
  for (const part of parseTemplate(text)) {
    if (part.kind !== "expression" || !part.closed) continue;
    const whole = simplePath(part.source);
    if (whole && (whole.path.length > 0 || whole.key !== null)) {
      pill(part.from, part.to, part.source, whole);
      continue;
    }
    replace(part.from, part.sourceFrom, new BraceWidget(true));
    let at = part.sourceFrom;
    const end = part.sourceFrom + part.source.length;
    const inner = Decoration.mark({ class: pick.formulaText ?? "" });
    for (const path of findPaths(part.source)) {
      const from = part.sourceFrom + path.from;
      const to = part.sourceFrom + path.to;
      if (from > at) all.add(at, from, inner);
      pill(from, to, part.source.slice(path.from, path.to), path);
      at = to;
    }
    if (end > at) all.add(at, end, inner);
    replace(end, part.to, new BraceWidget(false));
  }
  return { all: all.finish(), atoms: atoms.finish() };
}

function pills(options: Words): Extension {
  const plugin = ViewPlugin.fromClass(
    class {
      marks: Marks;
      constructor(view: EditorView) {
        this.marks = marksOf(view.state, options);
      }
      update(update: ViewUpdate): void {
        if (update.docChanged) this.marks = marksOf(update.state, options);
      }
    },
    {
      decorations: (value) => value.marks.all,
      provide: (value) => EditorView.atomicRanges.of((view) => view.plugin(value)?.marks.atoms ?? Decoration.none),
    },
  );
  return plugin;
}

/** Backspace next to a pill first selects it, then deletes it. */
function selectPillBefore(view: EditorView): boolean {
  const { main } = view.state.selection;
  if (!main.empty) return false;
  const part = parseTemplate(view.state.doc.toString()).find((other) => other.kind === "expression" && other.closed && other.to === main.head);
  if (part?.kind !== "expression" || !simplePath(part.source)) return false;
  view.dispatch({ selection: EditorSelection.range(part.from, part.to) });
  return true;
}

/** `=` in an empty field begins a formula. */
const formulaKey = EditorView.inputHandler.of((view, from, to, text) => {
  if (text !== "=" || view.state.doc.length > 0) return false;
  view.dispatch({ changes: { from, to, insert: "{{  }}" }, selection: { anchor: 3 }, userEvent: "input.type" });
  return true;
});

export function insideExpression(state: EditorState, at: number): boolean {
  return parseTemplate(state.doc.toString()).some((part) => part.kind === "expression" && at > part.from + 1 && (at < part.to - 1 || !part.closed));
}

function source(options: ExpressionEditorOptions): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    if (!insideExpression(context.state, context.pos)) return null;
    const word = context.matchBefore(/[\w.[\]]*/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    return { from: word.from, options: options.completions(), validFor: /^[\w.[\]]*$/ };
  };
}

export function createExpressionEditor(options: ExpressionEditorOptions): EditorView {
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      selection: { anchor: options.text.length },
      extensions: [
        history(),
        pills(options),
        formulaKey,
        placeholder(options.placeholder),
        EditorView.lineWrapping,
        autocompletion({ override: [source(options)], icons: false }),
        Prec.high(
          keymap.of([
            { key: "Backspace", run: selectPillBefore },
            {
              key: "Enter",
              run: (editor) => {
                if (options.multiline || completionStatus(editor.state) === "active") return false;
                return true;
              },
            },
            {
              key: "Escape",
              run: (editor) => {
                if (completionStatus(editor.state) !== null) return false;
                options.onEscape();
                return true;
              },
            },
            {
              key: "Ctrl-Space",
              run: (editor) => {
                options.onPicker();
                return !insideExpression(editor.state, editor.state.selection.main.head);
              },
            },
          ]),
        ),
        keymap.of([...historyKeymap, ...defaultKeymap]),
        options.multiline
          ? []
          : EditorState.transactionFilter.of((transaction) =>
              transaction.docChanged && transaction.newDoc.lines > 1
                ? [{ changes: { from: 0, to: transaction.startState.doc.length, insert: transaction.newDoc.toString().replace(/\s*\n\s*/g, " ") }, selection: { anchor: Math.min(transaction.newDoc.length, transaction.newSelection.main.head) } }]
                : transaction,
            ),
        EditorView.contentAttributes.of({
          "aria-label": options.label,
          "aria-multiline": String(options.multiline),
          spellcheck: "false",
          ...(options.describedBy ? { "aria-describedby": options.describedBy } : {}),
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString());
          if (update.focusChanged) {
            if (update.view.hasFocus) options.onFocus();
            else options.onBlur();
          }
        }),
      ],
    }),
  });
  return view;
}

/** Inserts data at the cursor: bare inside a formula, with braces around it in text. */
export function insertData(view: EditorView, expression: string, caret?: number): void {
  const { main } = view.state.selection;
  const inside = insideExpression(view.state, main.head);
  const lead = inside ? "" : "{{ ";
  const text = inside ? expression : `{{ ${expression} }}`;
  const anchor = main.from + (caret === undefined ? text.length : lead.length + caret);
  view.dispatch({ changes: { from: main.from, to: main.to, insert: text }, selection: { anchor }, userEvent: "input.complete", scrollIntoView: true });
  view.focus();
}
