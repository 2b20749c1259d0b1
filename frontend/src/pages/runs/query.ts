/** What people type to find runs, cut into its conditions; the server alone says what they mean. */

export interface Token {
  /** As it stands in the text. */
  text: string;
  /** Empty: a word by itself. */
  name: string;
  op: string;
  value: string;
}

/** Conditions of which one of a few words is chosen. */
export const OPTIONS: Readonly<Record<"by" | "stands" | "asks", string[]>> = {
  by: ["webhook", "schedule", "person", "me", "api", "workflow"],
  stands: ["any", "running", "waiting", "failed"],
  asks: ["person", "nobody"],
};

/** Which of those words a condition says; undefined where it says another, such as a colleague's name. */
export function optionOf({ name, value }: Token): string | undefined {
  return (OPTIONS as Readonly<Record<string, string[]>>)[name]?.find((one) => one === value.toLowerCase());
}

const TOKEN = /(?:([^\W\d]\w*)(>=|<=|[:=<>])(?:"([^"]*)"|([^\s"]*))|"([^"]*)"|([^\s"]+))(?=\s|$)/gu;

export function tokensOf(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map((match) => ({
    text: match[0],
    name: (match[1] ?? "").toLowerCase(),
    op: match[2] ?? "",
    value: match[3] ?? match[4] ?? match[5] ?? match[6] ?? "",
  }));
}

/** The conditions that are shown as chips, and what stays to be typed on. */
export function split(text: string): { chips: Token[]; words: string } {
  const tokens = tokensOf(text);
  const chips = tokens.filter((token) => token.name !== "" && token.value !== "");
  return { chips, words: tokens.filter((token) => !chips.includes(token)).map((token) => token.text).join(" ") };
}

export function joined(chips: readonly Token[], words: string): string {
  return [...chips.map((chip) => chip.text), words.trim()].filter(Boolean).join(" ");
}

export function without(text: string, chip: Token): string {
  const { chips, words } = split(text);
  return joined(chips.filter((one) => one.text !== chip.text), words);
}

/** A condition as it is typed; a value of several words stands in quotation marks. */
export function condition(name: string, op: string, value: string): string {
  const plain = value.trim().replace(/"/g, "");
  return `${name}${op}${/\s/.test(plain) ? `"${plain}"` : plain}`;
}

export function withCondition(text: string, added: string): string {
  const { chips, words } = split(text);
  const [token] = tokensOf(added);
  return token ? joined([...chips.filter((chip) => chip.text !== token.text), token], words) : text;
}
