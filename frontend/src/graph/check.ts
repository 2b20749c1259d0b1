/**
 * The check that runs while one edits. It finds what the browser can know (shape, required fields, broken data
 * references, unconnected steps); the server checks again on every save and has the last word.
 */
import { type Add, checkUndo } from "./checkUndo";
import { checkContainers } from "./checkContainers";
import { containersAround, knowsItems, speaksOfEnds } from "./containers";
import { downstreamOf, indexOf, isBehindFailure, upstreamOf } from "./indexes";
import { KEY_PATTERN } from "./keys";
import { portsOf } from "./ports";
import { fieldProblem, fieldsOf, isShown, valueOf } from "./schema";
import { referencesIn } from "./template";
import { isUndoLink } from "./undo";
import {
  DEFAULT_IN, ERROR_HANDLE, LIMITS, type GraphDocument, type GraphNode, type Problem, type Severity, type Specs,
  type StepSpec,
} from "./types";

/**
 * The server's codes that are found here too, by the code under which they are found here: on a changed document the
 * browser's finding replaces the server's, so that nothing is said twice and nothing is said that is put right.
 */
const FAMILIES: Readonly<Record<string, string>> = {
  "document.too_many_nodes": "document.too_many_nodes",
  "document.too_many_edges": "document.too_many_edges",
  "node.duplicate_key": "node.duplicate_key",
  "node.type_unknown": "node.type_unknown",
  "node.unreachable": "node.unreachable",
  "node.not_connected": "node.unreachable",
  "node.leads_nowhere": "node.leads_nowhere",
  "edge.dangling": "edge.dangling",
  "edge.unknown_port": "edge.unknown_port",
  "edge.unknown_way_in": "edge.unknown_port",
  "edge.undo_unsupported": "edge.undo_unsupported",
  "edge.into_start": "edge.into_start",
  "edge.self_loop": "graph.cycle",
  "graph.cycle": "graph.cycle",
  "graph.no_start": "graph.no_start",
  "failure.path_missing": "failure.path_missing",
  "reference.step_missing": "reference.step_missing",
  "reference.itself": "reference.not_before",
  "reference.not_before": "reference.not_before",
  "reference.no_error": "reference.no_error",
  "reference.no_items": "reference.no_items",
  "reference.no_look_up": "reference.no_look_up",
  "reference.inside_container": "reference.inside_container",
  "node.parent_missing": "node.parent_missing",
  "node.parent_not_container": "node.parent_not_container",
  "node.parent_circle": "node.parent_circle",
  "node.trigger_inside": "node.trigger_inside",
  "node.too_deep": "node.too_deep",
  "edge.crosses_container": "edge.crosses_container",
  "container.empty": "container.empty",
  "undo.into_flow": "undo.into_flow",
  "undo.leads_on": "undo.leads_on",
  "undo.twice": "undo.twice",
  "undo.not_an_action": "undo.not_an_action",
  "undo.contradiction": "undo.contradiction",
  "undo.missing": "undo.missing",
  "undo.switched_off": "undo.switched_off",
  "undo.failure_setting": "undo.failure_setting",
};
/** Found here only in part (a pattern or another field's value may matter): the place decides whether it is the same. */
const FIELD_CODES: ReadonlySet<string> = new Set(["required", "invalid"]);

export function check(document: GraphDocument, specs: Specs): Problem[] {
  if (document.nodes.length === 0) return [];
  const problems: Problem[] = [];
  const add = (severity: Severity, code: string, where: Partial<Problem>, params: Problem["params"] = {}): void => {
    problems.push({ severity, code, message: "", node: null, edge: null, field: null, params, ...where });
  };
  checkSize(document, add);
  checkKeys(document, add);
  checkLinks(document, specs, add);
  checkUndo(document, specs, add);
  checkContainers(document, specs, add);
  const reached = reachedSteps(document, specs);
  if (reached === null) add("error", "graph.no_start", {});
  const { place, undoes } = indexOf(document);
  const inOrder = [...document.nodes].sort((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0));
  for (const node of inOrder) {
    const spec = specs[node.type];
    if (!spec) {
      add("error", "node.type_unknown", { node: node.id, field: "step.type" }, { type: node.type });
      continue;
    }
    const undoing = undoes.has(node.id);
    if (reached && !reached.has(node.id) && !undoing) add("warning", "node.unreachable", { node: node.id });
    checkFields(node, spec, add);
    checkReferences(document, node, specs, add);
    // Nothing follows an undo step, and nothing has to lead to it.
    if (!undoing) checkWays(document, node, spec, add);
  }
  return problems;
}

function checkSize(document: GraphDocument, add: Add): void {
  if (document.nodes.length > LIMITS.nodes) add("error", "document.too_many_nodes", { field: "nodes" }, { limit: LIMITS.nodes });
  if (document.edges.length > LIMITS.edges) add("error", "document.too_many_edges", { field: "edges" }, { limit: LIMITS.edges });
}

function checkKeys(document: GraphDocument, add: Add): void {
  const seen = new Set<string>();
  for (const node of document.nodes) {
    const key = node.key.toLowerCase();
    if (seen.has(key)) add("error", "node.duplicate_key", { node: node.id, field: "step.key" }, { key: node.key });
    if (!KEY_PATTERN.test(node.key)) add("error", "field.format", { node: node.id, field: "step.key" }, { key: node.key });
    seen.add(key);
  }
}

function checkLinks(document: GraphDocument, specs: Specs, add: Add): void {
  const { byId, circular } = indexOf(document);
  for (const edge of document.edges) {
    const source = byId.get(edge.source);
    const target = byId.get(edge.target);
    if (!source || !target) {
      add("error", "edge.dangling", { edge: edge.id, node: source?.id ?? target?.id ?? null });
      continue;
    }
    const spec = specs[source.type];
    const undo = isUndoLink(edge);
    const known = undo || (edge.sourceHandle === ERROR_HANDLE
      ? spec?.has_error_port !== false
      : !spec || portsOf(spec, source.config).some((port) => port.id === edge.sourceHandle));
    if (!known || edge.targetHandle !== DEFAULT_IN) add("error", "edge.unknown_port", { edge: edge.id, node: source.id }, { port: edge.sourceHandle });
    if (specs[target.type]?.trigger && !undo) add("error", "edge.into_start", { edge: edge.id, node: target.id });
  }
  const first = [...circular].find((id) => downstreamOf(document, id).has(id));
  if (first !== undefined) add("error", "graph.cycle", { node: first });
}

/** Steps that can be reached from a start; null when there is no start at all. */
function reachedSteps(document: GraphDocument, specs: Specs): Set<string> | null {
  const starts = document.nodes.filter((node) => specs[node.type]?.trigger);
  if (starts.length === 0) return null;
  const reached = new Set(starts.map((node) => node.id));
  for (const start of starts) for (const id of downstreamOf(document, start.id)) reached.add(id);
  return reached;
}

function checkFields(node: GraphNode, spec: StepSpec, add: Add): void {
  const fields = fieldsOf(spec.config_schema);
  for (const field of fields) {
    if (!isShown(field, fields, node.config)) continue;
    const problem = fieldProblem(field, valueOf(field, node.config));
    if (!problem) continue;
    const code = problem.code === "required" ? "required" : "invalid";
    add("error", code, { node: node.id, field: field.name }, { ...problem.params, label: field.title, reason: problem.code });
  }
}

/** Settings that are worked out when it is looked up whether a step's effect happened, and know what was answered. */
export function knowsLookUp(field: string): boolean {
  return field.startsWith("look_up_");
}

function checkReferences(document: GraphDocument, node: GraphNode, specs: Specs, add: Add): void {
  const found = referencesIn(node.config);
  if (found.length === 0) return;
  const { byId, byKey } = indexOf(document);
  const upstream = upstreamOf(document, node.id);
  const around = new Set(containersAround(document, node.id).map((container) => container.id));
  const labels = new Map(fieldsOf(specs[node.type]?.config_schema ?? {}).map((field) => [field.name, field.title]));
  for (const { field, reference } of found) {
    const top = field.split(".")[0] ?? field;
    const where = { node: node.id, field };
    const label = labels.get(top) ?? top;
    if ((reference.root === "item" || reference.root === "index") && !knowsItems(node, top)) {
      add("error", "reference.no_items", where, { label, root: reference.root });
    }
    if (reference.root === "look_up" && !knowsLookUp(top)) add("error", "reference.no_look_up", where, { label });
    if (reference.root === "error" && !isBehindFailure(document, node.id)) {
      add("warning", "reference.no_error", where, { label });
    }
    if (reference.root !== "steps" || reference.key === null) continue;
    const used = byKey.get(reference.key);
    if (used?.parent === node.id && speaksOfEnds(node, top)) continue;
    if (!used) add("error", "reference.step_missing", where, { label, key: reference.key });
    else if (used.id !== node.id && used.parent !== undefined && !around.has(used.parent)) {
      const container = byId.get(used.parent)?.name ?? used.parent;
      add("error", "reference.inside_container", where, { label, name: used.name, container });
    } else if (used.id === node.id || !upstream.has(used.id)) add("error", "reference.not_before", where, { label, name: used.name });
  }
}

function checkWays(document: GraphDocument, node: GraphNode, spec: StepSpec, add: Add): void {
  const outgoing = indexOf(document).outgoing.get(node.id) ?? [];
  const failing = outgoing.some((edge) => edge.sourceHandle === ERROR_HANDLE);
  if (node.settings.on_failure === "error_port" && !failing) add("warning", "failure.path_missing", { node: node.id, field: "settings.on_failure" });
  const ports = portsOf(spec, node.config);
  if (ports.length > 1 && !outgoing.some((edge) => edge.sourceHandle !== ERROR_HANDLE)) add("hint", "node.leads_nowhere", { node: node.id });
}

/** The field of a problem as both sides write it: `headers[0].value` and `headers.0.value` are one. */
function fieldOf(problem: Problem): string {
  return (problem.field ?? "").replace(/\[(\d+)\]/g, ".$1");
}

/** What a problem is about: two with the same place are one problem. */
function placeOf(problem: Problem): string {
  if (FIELD_CODES.has(problem.code)) return `field|${problem.node}|${fieldOf(problem).split(".")[0]}`;
  const family = FAMILIES[problem.code] ?? problem.code;
  if (family.startsWith("graph.") || family.startsWith("document.")) return family;
  // Links are named by themselves; the step beside them depends on who looks.
  return problem.edge ? `${family}|${problem.edge}` : `${family}|${problem.node}|${fieldOf(problem)}`;
}

/** Whether what a problem is about is still there. */
function isAbout(problem: Problem, document: GraphDocument): boolean {
  if (problem.node !== null && !indexOf(document).byId.has(problem.node)) return false;
  return problem.edge === null || document.edges.some((edge) => edge.id === problem.edge);
}

/**
 * The problems to show: the server's for the document that it has; for a changed one the browser's own, and of the
 * server's those that only the server can find and that are not about the same place.
 */
export function mergeProblems(own: readonly Problem[], server: readonly Problem[], changed: boolean, document: GraphDocument): Problem[] {
  const found = changed ? [...own, ...server.filter((problem) => !(problem.code in FAMILIES) && isAbout(problem, document))] : server;
  const seen = new Set<string>();
  return found.filter((problem) => {
    const place = placeOf(problem);
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}
