import { useTranslation } from "react-i18next";

import type { FieldHints, JsonSchema, StepPort, StepSpec } from "../graph/types";
import { retell } from "../i18n/server";
import { STEPS, type StepArea, stepWords } from "../i18n/steps";
import type { ConnectionKind } from "./types";

type StepTypes = Record<string, StepSpec>;

/** A function of formulas; `also`: its help as the server says it, to be found by. */
interface Explained {
  help: string;
  also?: string;
}

interface Told {
  stepTypes: (types: StepTypes) => StepTypes;
  functions: <T extends Explained>(functions: readonly T[]) => readonly T[];
  connectionKinds: (kinds: ConnectionKind[]) => ConnectionKind[];
}

const made = new Map<string, Told>();

/** What is told in the person's language of lists that the server sends in English; one pair per language, so that what
 * was told once stays the same. `complete`: whether the words of the step types are loaded. */
export function toldIn(language: string, complete = true): Told {
  const key = `${language} ${complete}`;
  let found = made.get(key);
  if (!found) {
    found = {
      stepTypes: (types) => Object.fromEntries(Object.entries(types).map(([type, spec]) => [type, inWords(withWays(spec), language)])),
      functions: (functions) => {
        if (isSource(language)) return functions;
        return functions.map((one) => ({ ...one, help: stepWords(language, "functions", one.help), also: one.help }));
      },
      connectionKinds: (kinds) =>
        kinds.map((one) => ({
          ...one,
          title: retell("connections", one.kind, one.title),
          help: retell("connections", one.kind, one.help),
          fields: isSource(language) ? one.fields : schemaIn(one.fields, language),
        })),
    };
    made.set(key, found);
  }
  return found;
}

/** What is told in the person's language now. */
export function useTold(): Told {
  const { i18n, ready } = useTranslation(STEPS, { useSuspense: false });
  return toldIn(i18n.language, ready);
}

const isSource = (language: string): boolean => language.startsWith("en");

const way = (port: StepPort): StepPort => ({ ...port, label: retell("ports", port.id, port.label) });

function withWays(spec: StepSpec): StepSpec {
  const from = spec.ports_from;
  const ways = { ...spec, ports: spec.ports.map(way) };
  return from?.plus ? { ...ways, ports_from: { ...from, plus: from.plus.map(way) } } : ways;
}

/** A step type in the words of this language, found by those of the server as well. What is stored stays as it is. */
function inWords(spec: StepSpec, language: string): StepSpec {
  if (isSource(language)) return spec;
  const words = <T extends string | null | undefined>(area: StepArea, text: T) => stepWords(language, area, text);
  const own = words("synonyms", spec.name);
  return {
    ...spec,
    title: words("titles", spec.title),
    description: words("descriptions", spec.description),
    badge: words("descriptions", spec.badge ?? null),
    effect_note: words("notes", spec.effect_note ?? null),
    synonyms: [...(own === spec.name ? [] : own.split(", ")), spec.title, ...(spec.synonyms ?? [])],
    config_schema: schemaIn(spec.config_schema, language),
  };
}

function schemaIn(schema: JsonSchema, language: string): JsonSchema {
  const found = { ...schema };
  if (schema.properties) {
    found.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, field]) => [name, fieldIn(field, language)]));
  }
  if (schema.items) found.items = schemaIn(schema.items, language);
  return found;
}

function fieldIn(field: JsonSchema, language: string): JsonSchema {
  const found = schemaIn(field, language);
  if (field.title) found.title = stepWords(language, "fields", field.title);
  if (field.description) found.description = stepWords(language, "help", field.description);
  if (field["x-ui"]) found["x-ui"] = hintsIn(field["x-ui"], language);
  return found;
}

const HINTS = { help: "help", placeholder: "placeholders", group: "groups", add: "rows", new: "rows" } as const;

function hintsIn(hints: FieldHints, language: string): FieldHints {
  const found = { ...hints };
  for (const [hint, area] of Object.entries(HINTS)) {
    const text = hints[hint];
    if (typeof text === "string") found[hint] = stepWords(language, area, text);
  }
  if (Array.isArray(hints["options"])) found["options"] = optionsIn(hints["options"], language);
  return found;
}

interface Option {
  value: unknown;
  label: string;
}

const isOption = (one: unknown): one is Option => typeof one === "object" && one !== null && "value" in one && "label" in one && typeof one.label === "string";
const isCountry = (option: unknown): option is Option & { value: string } => isOption(option) && typeof option.value === "string" && /^[A-Z]{2}$/.test(option.value);

/** Choices in words. Countries have the names that the browser knows, and stand in their order. */
function optionsIn(options: readonly unknown[], language: string): unknown[] {
  const names = new Intl.DisplayNames([language], { type: "region" });
  const countries = options
    .filter(isCountry)
    .map((option) => ({ ...option, label: `${names.of(option.value) ?? option.label}${/ \([A-Z]{2}\)$/.exec(option.label)?.[0] ?? ""}` }))
    .toSorted((a, b) => a.label.localeCompare(b.label, language));
  const others = options.filter((option) => !isCountry(option)).map((option) => (isOption(option) ? { ...option, label: stepWords(language, "options", option.label) } : option));
  return [...others, ...countries];
}
