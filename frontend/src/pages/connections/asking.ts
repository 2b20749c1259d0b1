/** The address of a letter that somebody's own mail program opens. */
export function mailTo(to: readonly string[], letter: { subject: string; body: string }): string {
  // RFC 6068: a blank is %20 there; a plus would be shown as a plus.
  const said = Object.entries(letter).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `mailto:${to.map(encodeURIComponent).join(",")}?${said.join("&")}`;
}
