/** The services that a chat of a channel can be: what each asks for, and the address that is made of it. */
import { retell } from "../../i18n/server";

export interface ServiceField {
  name: string;
  label: string;
  secret?: boolean;
  required?: boolean;
  /** Several, with this between them in the address. */
  list?: string;
  options?: string[];
}

export interface Service {
  name: string;
  scheme: string;
  /** The same without encryption, where servers of one's own may have none. */
  plain?: string;
  setup: string;
  /** As Apprise writes them: `{schema}://{token}@{host}/{targets}`. */
  templates: string[];
  fields: ServiceField[];
}

export type Filled = Readonly<Record<string, string>>;

/** Those whose address a person has whole, as these products show it. */
export const BY_ADDRESS: readonly Service[] = ["Slack", "Microsoft Teams", "Discord", "Mattermost"].map((name) => ({ name, scheme: "https", setup: "", templates: [], fields: [] }));

export const loadServices = async (): Promise<Service[]> => {
  const { default: found } = await import("./services.gen.json");
  return [...(found.services as Service[]), ...BY_ADDRESS].sort((a, b) => a.name.localeCompare(b.name, "en"));
};

/** Those in whose name or scheme all the words stand. */
export function matching(services: readonly Service[], text: string): Service[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return services.filter((one) => words.every((word) => `${one.name} ${one.scheme}`.toLocaleLowerCase().includes(word)));
}

const namesIn = (template: string): string[] => [...template.matchAll(/\{(\w+)\}/g)].map((one) => one[1] ?? "").filter((name) => name !== "schema");

const isFilled = (values: Filled, name: string): boolean => (values[name] ?? "").trim() !== "";

/** The way of writing the address that needs exactly what is filled in, or what is missing for the nearest one. */
function templateOf(service: Service, values: Filled): { template: string } | { missing: string[] } {
  const filled = service.fields.map((one) => one.name).filter((name) => isFilled(values, name));
  const ways = service.templates.map((template) => ({ template, names: namesIn(template) }));
  const exact = ways.find(({ names }) => names.length === filled.length && filled.every((name) => names.includes(name)));
  if (exact) return { template: exact.template };
  const wider = ways.filter(({ names }) => filled.every((name) => names.includes(name))).map(({ names }) => names.filter((name) => !filled.includes(name)));
  const nearest = wider.sort((a, b) => a.length - b.length)[0];
  // What does not fit together is told by what is required.
  return { missing: nearest ?? service.fields.filter((one) => one.required && !filled.includes(one.name)).map((one) => one.name) };
}

function written(field: ServiceField | undefined, value: string): string {
  const text = value.trim();
  if (field?.list) return text.split(/[\n,]+/).map((one) => encodeURIComponent(one.trim())).filter(Boolean).join(field.list);
  if (field?.name === "host") return text.replace(/^\w+:\/\//, "").replace(/\/+$/, "");
  if (field?.name === "path") return `/${text.split("/").filter(Boolean).map(encodeURIComponent).join("/")}/`;
  return encodeURIComponent(text);
}

/** The address, or the names of what is missing for it; an empty list where what is filled in does not fit together. */
export function addressOf(service: Service, values: Filled, encrypted = true): { address: string } | { missing: string[] } {
  const found = templateOf(service, values);
  if ("missing" in found) return found;
  const fields = new Map(service.fields.map((one) => [one.name, one]));
  const scheme = encrypted || !service.plain ? service.scheme : service.plain;
  return { address: found.template.replace(/\{(\w+)\}/g, (_, name: string) => (name === "schema" ? scheme : written(fields.get(name), values[name] ?? ""))) };
}

/** Why an address was refused, as the server says it of its field, in the person's language. */
export function refusalOf(said: string): string {
  const text = said.replace(/^“Address”: /, "");
  const told = retell("failures", "address_service", text);
  return told === text ? retell("failures", "address", text) : told;
}
