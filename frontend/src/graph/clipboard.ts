/** Steps as text on the system clipboard: works across workflows and browsers. Secrets are never part of a config. */
import { formatExact, parseExact } from "./exact";
import { type GraphDocument, type GraphEdge, type GraphNode, normaliseDocument } from "./types";

const KIND = "millrace/steps";

export interface ClipboardSteps {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export function copySteps(document: GraphDocument, ids: ReadonlySet<string>): string {
  const nodes = document.nodes.filter((node) => ids.has(node.id));
  const edges = document.edges.filter((edge) => ids.has(edge.source) && ids.has(edge.target));
  return formatExact({ kind: KIND, version: 1, nodes, edges });
}

/** The steps in a clipboard text; null when it holds something else. */
export function readSteps(text: string): ClipboardSteps | null {
  if (!text.includes(KIND) || text.length > 5_000_000) return null;
  let raw: unknown;
  try {
    raw = parseExact(text);
  } catch {
    return null;
  }
  if (!isRecord(raw) || raw["kind"] !== KIND || !Array.isArray(raw["nodes"]) || !Array.isArray(raw["edges"])) return null;
  if (!raw["nodes"].every(isNode) || !raw["edges"].every(isEdge)) return null;
  const document = normaliseDocument({ nodes: raw["nodes"], edges: raw["edges"] });
  return { nodes: document.nodes, edges: document.edges };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function isNode(value: unknown): value is GraphNode {
  return isRecord(value) && ["id", "key", "name", "type"].every((field) => typeof value[field] === "string") &&
    (value["position"] === undefined || isPoint(value["position"]));
}

function isPoint(value: unknown): boolean {
  return isRecord(value) && Number.isFinite(value["x"]) && Number.isFinite(value["y"]);
}

function isEdge(value: unknown): value is GraphEdge {
  return isRecord(value) && ["id", "source", "target"].every((field) => typeof value[field] === "string");
}
