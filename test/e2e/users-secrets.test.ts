import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedTemporal } from '../../src/temporal/embedded-server.ts';
import { registerSearchAttributes } from '../../src/temporal/search-attributes.ts';
import { durasync } from '../support/durasync.ts';
import { createTestDatabase, testEngine } from '../support/engines.ts';
import { found } from '../support/find-secrets.ts';
import { startDurasync } from '../support/started-durasync.ts';

const WAIT_MS = 180_000;
const folder = await mkdtemp(join(tmpdir(), `durasync-test-${process.pid}-`));
const { cliPath } = await testEngine('/temporal');
const port = { use: 'Temporal', preferred: 29_100, fixedBy: null };
// A server of its own, which keeps its state in a file that can be searched.
const temporal = await startEmbeddedTemporal({
  cliPath,
  dataDir: join(folder, 'temporal'),
  state: 'kept',
  port,
  uiPort: { ...port, use: "Temporal's Web UI" },
  namespaces: ['default'],
  logFile: join(folder, 'temporal.log'),
});
const connection = await Connection.connect({ address: temporal.address });
await registerSearchAttributes(connection, 'default');
afterAll(async () => {
  await connection.close();
  await temporal.stop();
  await rm(folder, { recursive: true });
});
const database = await createTestDatabase();
const variables = {
  DATABASE_URL: database.databaseUrl,
  TEMPORAL_ADDRESS: temporal.address,
  DURASYNC_HOME: join(folder, 'home'),
  DURASYNC_SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  LOG_LEVEL: 'debug',
};

/** With what a file has to quote in the middle, so that both halves are looked for as well. */
const password = (): string => `pw${randomBytes(9).toString('hex')},"' ${randomBytes(9).toString('hex')}`;
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** Every password, by the row of the file that has it. */
const passwords: Record<string, string> = Object.fromEntries(
  [
    'good',
    'known',
    'repeated',
    'no email',
    'bad role',
    'too few cells',
    'too many cells',
    'in place of the email',
    'in place of the role',
    'no UTF-8',
  ].map((name) => [name, password()]),
);
const cell = (name: string): string => quoted(passwords[name] ?? '');
const FILE = Buffer.concat([
  Buffer.from(
    [
      'username,email,role,initial_password',
      `good-user,good@example.com,user,${cell('good')}`,
      `KNOWN-USER,known2@example.com,user,${cell('known')}`,
      `Good-User,again@example.com,user,${cell('repeated')}`,
      `c,,user,${cell('no email')}`,
      `d,d@example.com,boss,${cell('bad role')}`,
      `e,${cell('too few cells')}`,
      `f,f@example.com,user,${cell('too many cells')},more`,
      `g,${cell('in place of the email')},user,g@example.com`,
      `h,h@example.com,${cell('in place of the role')},user`,
      '',
    ].join('\n'),
  ),
  Buffer.from(`i\xff,i@example.com,user,${cell('no UTF-8')}\n`, 'latin1'),
]);

/** Where no password may be. */
const haystacks = new Map<string, Buffer>();

async function databaseAsText(): Promise<string> {
  const { rows } = await database.pool.query<{ name: string }>(`
    SELECT format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')`);
  const texts = [];
  for (const { name } of rows) {
    const all = await database.pool.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    texts.push(...all.rows.map(({ row }) => `${name} ${row}`));
  }
  return texts.join('\n');
}

beforeAll(async () => {
  await database.pool.query(
    `INSERT INTO sales.users (username, email, role, password_hash) VALUES ('known-user', 'known@example.com', 'user', 'x')`,
  );
  const path = join(folder, 'users.csv');
  await writeFile(path, FILE);
  const worker = startDurasync(['worker'], variables);
  const importing = durasync(['import', 'users', path, '--debug'], variables);
  let ended = false;
  const processes: string[] = [];
  const watching = (async () => {
    while (!ended) {
      processes.push(execFileSync('ps', ['-axwwo', 'command='], { encoding: 'utf8' }));
      await Promise.race([importing, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
  })();
  const imported = await importing;
  ended = true;
  await watching;
  if (imported.code !== 0) throw new Error(`the import ended with ${imported.code}: ${imported.stderr}`);
  const outputs = [imported.stdout, imported.stderr];
  for (const words of [
    ['quarantine', 'list', '--json'],
    ['runs', 'show', '', '--json'],
  ]) {
    const [run] = (await database.pool.query(`SELECT run_id AS id FROM durasync.sync_runs`)).rows;
    const shown = await durasync(
      words.map((word) => word || String(run?.id)),
      variables,
    );
    outputs.push(shown.stdout, shown.stderr);
  }
  haystacks.set('commands', Buffer.from(outputs.join('\n')));
  haystacks.set('arguments of processes', Buffer.from(processes.join('\n')));
  haystacks.set('PostgreSQL', Buffer.from(await databaseAsText()));
  worker.child.kill('SIGTERM');
  await worker.exited;
  haystacks.set('worker log', Buffer.from(worker.output()));
  const names = (await readdir(folder, { recursive: true })).filter((name) =>
    name.includes('temporal.sqlite'),
  );
  haystacks.set(
    "Temporal's file",
    Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name))))),
  );
}, WAIT_MS);

test('the good user is there, the others are listed by row and reason', async () => {
  const { rows } = await database.pool.query('SELECT username FROM sales.users ORDER BY 1');
  expect(rows.map(({ username }) => username)).toEqual(['good-user', 'known-user']);
  const said = String(haystacks.get('commands'));
  expect(said).toContain('row 3 is skipped: there is a user KNOWN-USER already');
  expect(said).toContain('row 4 is skipped: its username is that of row 2');
  expect(said).toMatch(/row 5: email: is required/);
  expect(said).toMatch(/row 6: role: is not one of user, manager, admin/);
  expect(said).toMatch(/7 of 9 rows can't be taken/);
});

describe.each([
  ['commands', 'KNOWN-USER'],
  ['arguments of processes', 'users.csv'],
  ['PostgreSQL', 'good-user'],
  ['worker log', ''],
  ["Temporal's file", 'sales'],
])('%s', (name, isThere) => {
  test('shows no password in any form', () => {
    const haystack = haystacks.get(name) ?? Buffer.of();
    expect(haystack.includes(isThere)).toBe(true);
    expect(found(haystack, passwords)).toEqual([]);
  });
});
