import pLimit from 'p-limit';
import { sql } from 'kysely';
import { z } from 'zod';
import type { CsvColumn } from '../../connectors/csv/match-header.ts';
import { readRows } from '../../connectors/csv/read-rows.ts';
import type { Db } from '../../db/connect.ts';
import { SyncFailure } from '../../domain/failures.ts';
import type { SourcePage } from '../../domain/source.ts';
import type { SkippedRow, Upload, UploadSource } from '../define-sync.ts';
import { wholeFile } from '../whole-file.ts';
import { reasonsOf } from '../validate-row.ts';
import { hashPassword } from './hash-password.ts';
import { userRow } from './user-columns.ts';

const COLUMNS: readonly CsvColumn[] = [
  { name: 'username', header: 'Username', aliases: ['User Name', 'Login'], required: true },
  { name: 'email', header: 'Email', aliases: ['E-Mail', 'Email Address'], required: true },
  { name: 'role', header: 'Role', required: true },
  { name: 'initial_password', header: 'Initial Password', aliases: ['Password'], required: true },
];
/** Each takes 32 MB while it is made. */
const HASHES_AT_ONCE = 4;

const rowSchema = z.object({
  position: z.number(),
  values: z.record(z.string(), z.string()),
  unreadable: z.string().optional(),
  refused: z.array(z.string()).optional(),
});
const preparedSchema = z.object({
  kind: z.literal('prepared users'),
  rows: z.array(rowSchema),
  /** Rows that repeat a username or an email of an earlier one. */
  repeats: z.array(z.object({ row: z.number(), reason: z.string() })),
});
type Prepared = z.infer<typeof preparedSchema>;

/** Files of users. What is kept of one has the hash of each password in its place. */
export const usersFile: UploadSource = {
  setting: 'upload',
  kind: 'users',
  prepare: prepareUsers,
  readUpload: readUsers,
  findSkipped,
};

/**
 * Reads a file as people have it, and hashes its passwords. Of a row that can't be taken only the reasons stay: in a
 * row whose cells have slipped, any of them may be the password.
 */
async function prepareUsers({ fileName, options, read }: Upload): Promise<Upload> {
  const limit = pLimit(HASHES_AT_ONCE);
  const rows: Promise<Prepared['rows'][number]>[] = [];
  const repeats: SkippedRow[] = [];
  const rowOf = new Map<string, number>();
  for await (const page of readRows(read(), { source: fileName, columns: COLUMNS })) {
    for (const { position, unreadable, values } of page.rows) {
      if (unreadable !== undefined) {
        rows.push(Promise.resolve({ position, values: {}, unreadable }));
        continue;
      }
      const { initial_password: given, ...others } = values as Readonly<Record<string, string>>;
      const password = given?.trim() ? given : null;
      const parsed = userRow.safeParse({ ...others, password_hash: password ? 'to be made' : '' });
      if (!parsed.success || !password) {
        rows.push(
          Promise.resolve({ position, values: {}, refused: parsed.error ? reasonsOf(parsed.error) : [] }),
        );
        continue;
      }
      const { username, email, role } = parsed.data;
      const names = namesOf(username ?? '', email ?? '');
      const repeated = names.find((name) => rowOf.has(name.value));
      if (repeated) {
        repeats.push({
          row: position,
          reason: `its ${repeated.what} is that of row ${rowOf.get(repeated.value)}`,
        });
        continue;
      }
      for (const { value } of names) rowOf.set(value, position);
      rows.push(
        limit(async () => ({
          position,
          values: {
            username: username ?? '',
            email: email ?? '',
            role: role ?? '',
            password_hash: await hashPassword(password),
          },
        })),
      );
    }
  }
  const prepared: Prepared = { kind: 'prepared users', rows: await Promise.all(rows), repeats };
  const content = Buffer.from(JSON.stringify(prepared));
  return { fileName, options, read: () => once(content) };
}

const namesOf = (username: string, email: string) => [
  { what: 'username', value: `username ${username.toLowerCase()}` },
  { what: 'email', value: `email ${email.toLowerCase()}` },
];

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

/** @throws SyncFailure FileUnreadable for a file that was not prepared; the message holds nothing of it */
async function readPrepared({ fileName, read }: Upload): Promise<Prepared> {
  const text = (await wholeFile(read())).toString('utf8');
  const parsed = preparedSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new SyncFailure(
    'FileUnreadable',
    `${fileName}: a file of users is loaded with: npx durasync import users FILE`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* readUsers(upload: Upload): AsyncGenerator<SourcePage, void, undefined> {
  const { rows, repeats } = await readPrepared(upload);
  const skipped = repeats.map(({ row, reason }) => `row ${row}: ${reason}`);
  yield {
    rows: rows.map((row) => ({ ...row, raw: '' })),
    nextCursor: null,
    notices:
      skipped.length > 0
        ? [`users: ${skipped.length} rows were skipped. ${skipped.slice(0, 20).join('; ')}.`]
        : [],
  };
}

/** Rows of users that are there already, and of those that an earlier row has named. */
async function findSkipped(db: Db, upload: Upload): Promise<readonly SkippedRow[]> {
  const { rows, repeats } = await readPrepared(upload);
  const lower = (name: string): string[] =>
    rows.map(({ values }) => (values[name] ?? '').trim().toLowerCase());
  const { rows: known } = await sql<{ username: string; email: string }>`
    SELECT username_key AS username, lower(email) AS email FROM sales.users
    WHERE username_key = ANY(${lower('username')}) OR lower(email) = ANY(${lower('email')})`.execute(db);
  const [usernames, emails] = [
    new Set(known.map((user) => user.username)),
    new Set(known.map((user) => user.email)),
  ];
  const there = rows.flatMap(({ position, values }): SkippedRow[] => {
    const [name, email] = [values['username']?.trim() ?? '', values['email']?.trim() ?? ''];
    if (usernames.has(name.toLowerCase()))
      return [{ row: position, reason: `there is a user ${name} already` }];
    return emails.has(email.toLowerCase())
      ? [{ row: position, reason: `there is a user with its email already` }]
      : [];
  });
  return [...there, ...repeats].toSorted((a, b) => a.row - b.row);
}
