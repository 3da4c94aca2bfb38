import { scryptSync } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { checkUpload, findUploadKind } from '../../src/syncs/check-upload.ts';
import type { Upload } from '../../src/syncs/define-sync.ts';
import { sales } from '../../src/syncs/sales/index.ts';
import { found } from '../support/find-secrets.ts';
import { startSalesHarness, uploadOfText } from '../support/sales-harness.ts';
import { tableOf } from '../support/sync-harness.ts';

const { importFile, rows, database } = await startSalesHarness();
const kind = findUploadKind([sales], 'users');
const source = kind.parts[0]?.source;

const prepared = async (content: string): Promise<Upload> => {
  const upload = await source?.prepare?.(uploadOfText('users.csv', content));
  if (!upload) throw new Error('files of users are not prepared');
  return upload;
};

const HEADER = 'username,email,role,initial_password\n';
/** With everything that a CSV file has to quote. */
const HARD = 'p,a"ss\nw\\ord,"1", 2';
const quoted = `"${HARD.replaceAll('"', '""')}"`;

beforeEach(() => database.pool.query('TRUNCATE sales.users, durasync.sync_runs CASCADE'));

const users = () => rows('SELECT username, email, role FROM sales.users ORDER BY username_key');

function isPassword(hash: unknown, password: string): boolean {
  const [name, N, r, p, salt = '', key = ''] = String(hash).split('$');
  const made = scryptSync(password, Buffer.from(salt, 'base64'), 32, {
    N: Number(N),
    r: Number(r),
    p: Number(p),
    maxmem: 64 * 1024 * 1024,
  });
  return name === 'scrypt' && made.toString('base64') === key;
}

test('users get the hash of their password, also of one with commas, quotes and a line end', async () => {
  const result = await importFile(
    'users',
    `${HEADER}alice,alice@example.com,Admin,${quoted}\nbob,bob@example.com,user,plain-one\n`,
  );
  expect(tableOf(result, 'users')).toMatchObject({ status: 'completed', inserted: 2 });
  expect(await users()).toEqual([
    { username: 'alice', email: 'alice@example.com', role: 'admin' },
    { username: 'bob', email: 'bob@example.com', role: 'user' },
  ]);
  const [alice, bob] = await rows('SELECT password_hash AS hash FROM sales.users ORDER BY username');
  expect(isPassword(alice?.['hash'], HARD)).toBe(true);
  expect(isPassword(bob?.['hash'], 'plain-one')).toBe(true);
  expect(isPassword(bob?.['hash'], 'plain-two')).toBe(false);
});

test('whoever is there by username or email, in any case, is skipped and stays as before', async () => {
  await importFile('users', `${HEADER}alice,alice@example.com,admin,first-password\n`);
  const before = await rows('SELECT * FROM sales.users');
  const file = `${HEADER}ALICE,other@example.com,user,second-pass\nal,Alice@Example.com,user,third-pass\nbob,bob@example.com,user,fourth-pass\n`;
  const upload = await prepared(file);
  expect(await source?.findSkipped?.(database.db, upload)).toEqual([
    { row: 2, reason: 'there is a user ALICE already' },
    { row: 3, reason: 'there is a user with its email already' },
  ]);
  const result = await importFile('users', file);
  expect(tableOf(result, 'users')).toMatchObject({ inserted: 1, skipped: 2, updated: 0 });
  expect(await rows(`SELECT * FROM sales.users WHERE username = 'alice'`)).toEqual(before);
});

test('of users that a file names twice the first one is taken, and the report names the others', async () => {
  const result = await importFile(
    'users',
    `${HEADER}alice,not an address,user,pass-0001\nAlice,a@example.com,user,pass-0002\nALICE,b@example.com,user,pass-0003\nbob,A@example.com,user,pass-0004\n`,
  );
  expect(await users()).toEqual([{ username: 'Alice', email: 'a@example.com', role: 'user' }]);
  expect(result.notices).toEqual([
    'users: 2 rows were skipped. row 4: its username is that of row 3; row 5: its email is that of row 3.',
  ]);
});

test('a row without an email, with another role or without a password says so and repeats no cell', async () => {
  const file = `${HEADER}dora,,user,dora-password\nemil,emil@example.com,boss-password,x\nfay,fay@example.com,user,\ngus,gus-password\n`;
  const upload = await prepared(file);
  expect(await checkUpload(kind, upload, '2026-11-27')).toMatchObject({
    rows: 4,
    badRows: 4,
    complete: true,
    errors: [
      { row: 2, reasons: ['email: is required and blank here'] },
      { row: 3, reasons: ['role: is not one of user, manager, admin'] },
      { row: 4, reasons: ['password_hash: cannot be made, because the row has no initial_password'] },
      { row: 5, reasons: ['has 2 cells, the header has 4'] },
    ],
  });
  expect(tableOf(await importFile('users', file), 'users')).toMatchObject({ inserted: 0, quarantined: 4 });
  const kept = JSON.stringify(await rows('SELECT * FROM durasync.quarantined_rows'));
  expect(kept).not.toMatch(/password-|-password|emil|fay|gus/);
  expect(kept).toContain('(not kept, because it holds a secret)');
});

test('what is kept of a file holds no password, and a file that was not prepared is refused without a word of it', async () => {
  const file = `${HEADER}alice,alice@example.com,admin,${quoted}\n`;
  await importFile('users', file);
  const stored = await rows('SELECT content FROM durasync.upload_chunks');
  const content = Buffer.concat(stored.map((row) => row['content'] as Buffer));
  expect(content.length).toBeGreaterThan(0);
  expect(found(content, { password: HARD })).toEqual([]);
  const refusal: unknown = await checkUpload(kind, uploadOfText('users.csv', file), '2026-11-27').catch(
    (error: unknown) => error,
  );
  expect(String(refusal)).toMatch(/is loaded with: npx durasync import users/);
  expect(found(Buffer.from(String(refusal)), { password: HARD })).toEqual([]);
});
