import { SyncFailure } from '../../domain/failures.ts';

type Json = Readonly<Record<string, unknown>>;

/** Where the array of an answer may be, tried in this order before the top itself. */
const PLACES: readonly (readonly string[])[] = [['dataSet', 'data'], ['dataSet'], ['data'], ['result']];

/**
 * The records of an answer. `null`, and an answer that says `status: false`, have none.
 *
 * @param source how to name the source in an error
 * @throws SyncFailure SourceRefused for an answer in any other form, such as a login page
 */
export function readAnswer(source: string, text: string): readonly unknown[] {
  const answer = parse(source, text);
  const records = findRecords(answer);
  if (records === null) {
    throw new SyncFailure(
      'SourceRefused',
      `${source}: the answer holds no list of records${keysOf(answer)}. Ask who runs the API what has changed.`,
    );
  }
  if (records.length > 0 && !records.some(isObject)) {
    throw new SyncFailure(
      'SourceRefused',
      `${source}: none of the ${records.length} entries of the answer is a record. Ask who runs the API.`,
    );
  }
  return records;
}

function parse(source: string, text: string): unknown {
  const body = text.replace(/^\uFEFF/, '').trim();
  try {
    return body === '' ? undefined : JSON.parse(body);
  } catch {
    const what = body.startsWith('<') ? 'a web page, perhaps a login,' : 'something else';
    throw new SyncFailure(
      'SourceRefused',
      `${source}: answered with ${what} instead of JSON. Check RETURN_API_KEY and the address.`,
    );
  }
}

/** Null when the answer is in a form that is not known. */
function findRecords(answer: unknown): readonly unknown[] | null {
  if (answer === null) return [];
  if (Array.isArray(answer)) return answer;
  if (!isObject(answer)) return null;
  let empty = answer['status'] === false;
  for (const place of PLACES) {
    const found = place.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), answer);
    if (Array.isArray(found)) return found;
    if (found === null) empty = true;
  }
  return empty ? [] : null;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function keysOf(answer: unknown): string {
  return isObject(answer) ? `; it has: ${Object.keys(answer).join(', ').slice(0, 200)}` : '';
}
