import type { Answers } from './api-types.ts';

/** What the API refused, in its own words: what happened, and what to do. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly title: string;

  constructor(status: number, title: string, detail: string) {
    super(detail);
    this.status = status;
    this.title = title;
  }
}

type Told = { title?: string; detail?: string };

async function call(method: string, path: string, body?: BodyInit, type?: string): Promise<unknown> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (type !== undefined) headers['content-type'] = type;
  const response = await fetch(path, { method, headers, body, credentials: 'same-origin' }).catch(() => {
    throw new ApiProblem(
      0,
      'Durasync does not answer',
      'Is it running? Start it with npm start; this page goes on by itself.',
    );
  });
  const told: unknown = await response.json().catch(() => ({}));
  if (response.ok) return told;
  const { title = `The server answered ${response.status}`, detail = 'See the log of the API.' } =
    told as Told;
  throw new ApiProblem(response.status, title, detail);
}

/** Puts an id into an address: `at('/api/runs/$', id)`. */
export const at = (path: string, id: string): string => path.replace('$', encodeURIComponent(id));

/** An address with those of the parameters that are set. */
export function query(
  path: string,
  parameters: Readonly<Record<string, string | number | undefined>>,
): string {
  const set = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

/** @throws ApiProblem */
export const get = <Path extends keyof Answers>(_kind: Path, address: string): Promise<Answers[Path]> =>
  call('GET', address) as Promise<Answers[Path]>;

/** Changes something. @throws ApiProblem */
export const send = <Answer = unknown>(
  method: 'POST' | 'PUT' | 'DELETE',
  address: string,
  body?: object,
): Promise<Answer> =>
  call(method, address, body && JSON.stringify(body), body && 'application/json') as Promise<Answer>;

/** Sends a form, such as a file. @throws ApiProblem */
export function sendForm<Answer>(
  address: string,
  fields: Readonly<Record<string, string | File>>,
): Promise<Answer> {
  const form = new FormData();
  for (const [name, field] of Object.entries(fields)) form.set(name, field);
  return call('POST', address, form) as Promise<Answer>;
}
