import type { StepPort, StepSpec } from "../graph/types";
import { retell } from "../i18n/server";
import type { ConnectionKind } from "./types";

type StepTypes = Record<string, StepSpec>;

interface Told {
  stepTypes: (types: StepTypes) => StepTypes;
  connectionKinds: (kinds: ConnectionKind[]) => ConnectionKind[];
}

const made = new Map<string, Told>();

/** What is told in the person's language of lists that the server sends in English; one pair per language, so that what
 * was told once stays the same. */
export function toldIn(language: string): Told {
  let found = made.get(language);
  if (!found) {
    found = {
      stepTypes: (types) => Object.fromEntries(Object.entries(types).map(([type, spec]) => [type, withWays(spec)])),
      connectionKinds: (kinds) =>
        kinds.map((one) => ({ ...one, title: retell("connections", one.kind, one.title), help: retell("connections", one.kind, one.help) })),
    };
    made.set(language, found);
  }
  return found;
}

const way = (port: StepPort): StepPort => ({ ...port, label: retell("ports", port.id, port.label) });

function withWays(spec: StepSpec): StepSpec {
  const from = spec.ports_from;
  const ways = { ...spec, ports: spec.ports.map(way) };
  return from?.plus ? { ...ways, ports_from: { ...from, plus: from.plus.map(way) } } : ways;
}
