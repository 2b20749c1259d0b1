import { expect, test } from "vitest";

import type { GraphDocument } from "../../api/types";
import { both } from "./both";

const graph = (nodes: string[], edges: [string, string, string][]) =>
  ({ nodes: nodes.map((id) => ({ id })), edges: edges.map(([id, source, target]) => ({ id, source, sourceHandle: "out", target, targetHandle: "in" })), annotations: [] }) as unknown as GraphDocument;

test("what only one version has is on the picture once, with its links", () => {
  const here = graph(["a", "b"], [["e1", "a", "b"]]);
  const there = graph(["a", "b", "c"], [["e9", "a", "b"], ["e2", "b", "c"]]);
  const found = both(here, there);
  expect(found.nodes.map((node) => node.id)).toEqual(["a", "b", "c"]);
  expect(found.edges.map((edge) => edge.id)).toEqual(["e1", "e2"]);
});

test("where both have the same steps, the first is drawn as it is", () => {
  const here = graph(["a", "b"], [["e1", "a", "b"]]);
  expect(both(here, graph(["b"], []))).toBe(here);
});
