/** What is wrong with undo steps and with the links to them. The same codes as the server's. */
import { indexOf } from "./indexes";
import type { GraphDocument, GraphEdge, GraphNode, Problem, Severity, Specs } from "./types";
import { isAction, isUndoLink, writesOutside } from "./undo";

export type Add = (severity: Severity, code: string, where: Partial<Problem>, params?: Problem["params"]) => void;

export function checkUndo(document: GraphDocument, specs: Specs, add: Add): void {
  const { byId } = indexOf(document);
  /** The links that say which step undoes which, by undo step. */
  const links = new Map<string, GraphEdge>();
  const drawn = new Set<string>();
  for (const edge of document.edges) {
    const action = byId.get(edge.source);
    const step = byId.get(edge.target);
    if (!isUndoLink(edge) || !action || !step) continue;
    if (action === step) {
      add("error", "graph.cycle", { node: step.id });
      continue;
    }
    if (drawn.has(action.id)) add("error", "undo.twice", { node: action.id, edge: edge.id }, { step: action.name });
    else checkAction(action, edge, specs, add);
    drawn.add(action.id);
    if (links.has(step.id)) continue;
    links.set(step.id, edge);
    const names = { step: step.name, action: action.name };
    if (specs[step.type] && !isAction(specs[step.type])) add("error", "undo.not_an_action", { node: step.id, edge: edge.id }, names);
  }
  for (const edge of document.edges) checkBesides(edge, links, byId, add);
  for (const [id, link] of links) checkStep(byId.get(id), byId.get(link.source), add);
  if (drawn.size === 0 && !document.nodes.some((node) => node.settings.on_failure === "undo")) return;
  for (const node of document.nodes) {
    const settled = node.settings.disabled || node.settings.undo || drawn.has(node.id) || links.has(node.id);
    if (!settled && writesOutside(specs[node.type], node)) add("warning", "undo.missing", { node: node.id, field: "settings.undo" }, { step: node.name });
  }
}

function checkAction(action: GraphNode, link: GraphEdge, specs: Specs, add: Add): void {
  const names = { step: action.name };
  if (specs[action.type] && !isAction(specs[action.type])) add("error", "edge.undo_unsupported", { node: action.id, edge: link.id }, names);
  if (action.settings.undo) add("error", "undo.contradiction", { node: action.id, field: "settings.undo" }, names);
}

/** An undo step has no links but the one that makes it one. */
function checkBesides(edge: GraphEdge, links: ReadonlyMap<string, GraphEdge>, byId: ReadonlyMap<string, GraphNode>, add: Add): void {
  const say = (code: string, id: string): void => {
    const names = { step: byId.get(id)?.name ?? "", action: byId.get(links.get(id)?.source ?? "")?.name ?? "" };
    add("error", code, { node: id, edge: edge.id }, names);
  };
  const into = links.get(edge.target);
  if (into && into !== edge) say("undo.into_flow", edge.target);
  if (links.has(edge.source) && edge.source !== edge.target) say("undo.leads_on", edge.source);
}

function checkStep(step: GraphNode | undefined, action: GraphNode | undefined, add: Add): void {
  if (!step || !action) return;
  const names = { step: step.name, action: action.name };
  if (step.settings.disabled) add("warning", "undo.switched_off", { node: step.id, field: "settings.disabled" }, names);
  if ((step.settings.on_failure ?? "stop") !== "stop") add("warning", "undo.failure_setting", { node: step.id, field: "settings.on_failure" }, names);
}
