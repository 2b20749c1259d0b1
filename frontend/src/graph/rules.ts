import { downstreamOf, indexOf } from "./indexes";
import { portsOf } from "./ports";
import {
  DEFAULT_IN, DEFAULT_OUT, ERROR_HANDLE, UNDO_HANDLE, type GraphDocument, type GraphNode, type Label, type Specs,
} from "./types";
import { isAction, undoneStepOf } from "./undo";

export interface LinkRequest {
  source: string;
  sourceHandle: string | null | undefined;
  target: string;
  targetHandle: string | null | undefined;
}

/** Why a link may not be drawn, as a text to look up; null when it may. */
export function refusal(document: GraphDocument, specs: Specs, link: LinkRequest): Label | null {
  const { byId, outgoing } = indexOf(document);
  const source = byId.get(link.source);
  const target = byId.get(link.target);
  if (!source || !target) return reason("missing");
  const handle = link.sourceHandle ?? DEFAULT_OUT;
  if (link.source === link.target) return reason(handle === UNDO_HANDLE ? "undoSelf" : "self");
  if ((link.targetHandle ?? DEFAULT_IN) !== DEFAULT_IN) return reason("notAnEntry");
  if (indexOf(document).undoes.has(link.source)) return reason("undoLeadsOn", { name: source.name });
  if (handle === UNDO_HANDLE) return undoRefusal(document, specs, source, target);
  const undone = undoneStepOf(document, target.id);
  if (undone) return reason("undoInto", { name: target.name, action: undone.name });
  const targetSpec = specs[target.type];
  if (targetSpec?.trigger) return reason("intoStart", { name: target.name });
  const sourceSpec = specs[source.type];
  if (sourceSpec && handle === ERROR_HANDLE && !sourceSpec.has_error_port) return reason("noErrorPort", { name: source.name });
  if (sourceSpec && handle !== ERROR_HANDLE && !portsOf(sourceSpec, source.config).some((port) => port.id === handle)) {
    return reason("noSuchPort", { name: source.name });
  }
  const existing = outgoing.get(link.source) ?? [];
  if (existing.some((edge) => edge.target === link.target && edge.sourceHandle === handle)) return reason("exists");
  if (handle === ERROR_HANDLE && existing.some((edge) => edge.sourceHandle === ERROR_HANDLE)) return reason("oneErrorTarget");
  if ((source.parent ?? null) !== (target.parent ?? null)) return reason("border");
  if (downstreamOf(document, link.target).has(link.source)) return reason("circle");
  return null;
}

/** An undo link goes from an action to an action that has no other links. */
function undoRefusal(document: GraphDocument, specs: Specs, source: GraphNode, target: GraphNode): Label | null {
  const { incoming, outgoing, undoneBy, undoes } = indexOf(document);
  if (specs[source.type] && !isAction(specs[source.type])) return reason("undoNothing", { name: source.name });
  if (undoneBy.get(source.id) === target.id) return reason("exists");
  if (undoneBy.has(source.id)) return reason("undoTwice", { name: source.name });
  if (specs[target.type] && !isAction(specs[target.type])) return reason("undoNoAction", { name: target.name });
  if (undoes.has(target.id)) return reason("undoTaken", { name: target.name });
  const linked = (incoming.get(target.id) ?? []).length + (outgoing.get(target.id) ?? []).length > 0 || undoneBy.has(target.id);
  if (linked) return reason("undoInFlow", { name: target.name });
  return (source.parent ?? null) === (target.parent ?? null) ? null : reason("border");
}

function reason(code: string, params: Record<string, string> = {}): Label {
  return { key: `refusal.${code}`, params };
}

/** Steps a new link from here may go to. */
export function possibleTargets(document: GraphDocument, specs: Specs, source: string, sourceHandle: string): string[] {
  return document.nodes
    .filter((node) => refusal(document, specs, { source, sourceHandle, target: node.id, targetHandle: DEFAULT_IN }) === null)
    .map((node) => node.id);
}
