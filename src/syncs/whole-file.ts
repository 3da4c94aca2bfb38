/** All bytes of an uploaded file at once, for those that can't be read in pieces, such as workbooks. */
export async function wholeFile(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
