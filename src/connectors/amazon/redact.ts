const SAID_MAX_CHARACTERS = 300;

/** What the other side said, short and without the secrets, however it may have encoded them. */
export function redact(said: string, secrets: readonly string[]): string {
  let text = said;
  for (const secret of secrets.flatMap((each) => [each, encodeURIComponent(each)])) {
    if (secret !== '') text = text.replaceAll(secret, '***');
  }
  return text.length > SAID_MAX_CHARACTERS ? `${text.slice(0, SAID_MAX_CHARACTERS)}…` : text;
}
