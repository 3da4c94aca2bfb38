/** Shorter pieces would be found by chance. */
const PIECE_MIN_CHARACTERS = 8;

/** Every text that would give a secret away: itself, parts of it, and both in the usual encodings. */
function formsOf(secret: string): string[] {
  const half = Math.floor(secret.length / 2);
  // A file may cut what it stores in two, at the end of one of its pages.
  const pieces = [secret, secret.slice(0, half), secret.slice(half)].filter(
    (piece) => piece.length >= PIECE_MIN_CHARACTERS,
  );
  return [
    ...new Set(
      pieces.flatMap((piece) => [
        piece,
        encodeURIComponent(piece),
        JSON.stringify(piece).slice(1, -1),
        piece.replaceAll('/', '\\/'),
        Buffer.from(piece).toString('hex'),
        ...base64Of(piece),
      ]),
    ),
  ];
}

/** What is the same in base64 whatever stands before and behind: it depends on where the text begins. */
function base64Of(text: string): string[] {
  const bytes = Buffer.byteLength(text);
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]).toString('base64');
    const inner = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes) * 8) / 6));
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** The names of those secrets of which a form is in the haystack. */
export function found(haystack: Buffer, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    formsOf(secret).some((form) => haystack.includes(form)) ? [name] : [],
  );
}
