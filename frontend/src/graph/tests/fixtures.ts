import type { GraphDocument, GraphEdge, GraphNode, JsonObject, Specs, StepSpec } from "../types";

function spec(type: string, more: Partial<StepSpec> = {}): StepSpec {
  return {
    type,
    name: type.split("@")[0] ?? type,
    version: 1,
    category: "app",
    icon: "box",
    title: type,
    description: "",
    synonyms: [],
    effect: "pure",
    effect_note: "",
    trigger: false,
    ports: [{ id: "out", label: "Next" }],
    ports_from: null,
    has_error_port: true,
    config_schema: {},
    expression_fields: [],
    output_sample: {},
    connection_kinds: [],
    defaults: {},
    ...more,
  };
}

export const specs: Specs = {
  "trigger.webhook@1": spec("trigger.webhook@1", { title: "Webhook", trigger: true, category: "start", has_error_port: false, output_sample: { body: { total: 12 } } }),
  "flow.decision@1": spec("flow.decision@1", { title: "Decision", category: "logic", ports: [{ id: "yes", label: "Yes" }, { id: "no", label: "No" }] }),
  "flow.switch@1": spec("flow.switch@1", {
    title: "Switch",
    category: "logic",
    ports: [],
    ports_from: { field: "cases", id: "id", label: "name", plus: [{ id: "otherwise", label: "Otherwise" }] },
  }),
  "flow.for_each@1": spec("flow.for_each@1", {
    title: "For each",
    category: "loop",
    container: true,
    config_schema: { type: "object", required: ["items"], properties: { items: { type: "array", title: "The list", "x-ui": { expression: true } }, label: { type: "string", title: "Label", "x-ui": { expression: true } } } },
  }),
  "flow.stop@1": spec("flow.stop@1", { title: "Stop", category: "logic", ports: [], has_error_port: false }),
  "http.request@1": spec("http.request@1", {
    title: "HTTP request",
    defaults: { method: "GET" },
    config_schema: {
      type: "object",
      required: ["url"],
      properties: {
        url: { type: "string", title: "Address", "x-ui": { expression: true, order: 1 } },
        method: { enum: ["GET", "POST"], default: "GET" },
        body: { anyOf: [{ type: "object" }, { type: "null" }], default: null, "x-ui": { expression: true, showIf: { method: ["POST"] }, required: true } },
        seconds: { type: "integer", minimum: 1, maximum: 60, "x-ui": { advanced: true } },
      },
    },
  }),
};

export function node(id: string, type = "http.request@1", more: Partial<GraphNode> = {}): GraphNode {
  return { id, key: id, name: id.toUpperCase(), type, config: type.startsWith("http") ? { url: "https://x.example" } : {}, position: { x: 0, y: 0 }, settings: {}, ...more };
}

export function edge(source: string, target: string, sourceHandle = "out"): GraphEdge {
  return { id: `${source}-${sourceHandle}-${target}`, source, sourceHandle, target, targetHandle: "in" };
}

export function graph(nodes: GraphNode[], edges: GraphEdge[] = []): GraphDocument {
  return { format: "millrace.workflow", version: 1, nodes, edges, annotations: [] };
}

/** start → check (yes → a → end, no → end) */
export function branching(): GraphDocument {
  return graph(
    [
      node("start", "trigger.webhook@1"),
      node("check", "flow.decision@1", { position: { x: 0, y: 128 } }),
      node("a", "http.request@1", { position: { x: -160, y: 256 } }),
      node("end", "http.request@1", { position: { x: 0, y: 384 } }),
    ],
    [edge("start", "check"), edge("check", "a", "yes"), edge("a", "end"), edge("check", "end", "no")],
  );
}

/** start → each (a → b, with what undoes a) → end */
export function looping(): GraphDocument {
  return graph(
    [
      node("start", "trigger.webhook@1"),
      node("each", "flow.for_each@1", { position: { x: -24, y: 128 }, config: { items: "{{ trigger.body.lines }}" } }),
      node("end", "http.request@1", { position: { x: 0, y: 500 } }),
      node("a", "http.request@1", { parent: "each" }),
      node("b", "http.request@1", { parent: "each", position: { x: 0, y: 128 } }),
    ],
    [edge("start", "each"), edge("each", "end"), edge("a", "b")],
  );
}

/** A long workflow with a branch every third step. */
export function large(count: number): GraphDocument {
  const nodes = [node("n0", "trigger.webhook@1")];
  const edges: GraphEdge[] = [];
  for (let at = 1; at < count; at += 1) {
    nodes.push(node(`n${at}`, at % 3 === 0 ? "flow.decision@1" : "http.request@1", { position: { x: 0, y: at * 128 } }));
    const before = nodes[at - 1] as GraphNode;
    edges.push(edge(before.id, `n${at}`, before.type === "flow.decision@1" ? "yes" : "out"));
  }
  return graph(nodes, edges);
}

export const config = (values: JsonObject): Partial<GraphNode> => ({ config: values });
