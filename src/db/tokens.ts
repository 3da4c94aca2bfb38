import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { type Home, writePrivateFile } from '../home/home.ts';
import type { Db } from './connect.ts';

/** Each role may do what those before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** A token as people see it; the token itself is shown once, when it is made. */
export interface ApiToken {
  readonly id: string;
  readonly role: Role;
  readonly name: string;
  readonly created_at: string;
  /** Exact to a minute. */
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

const TOKEN_BYTES = 32;
const TOKEN = /^dsk_[\w-]{43}$/;
const ADMIN_TOKEN_FILE = 'admin-token';
const ADMIN_TOKEN_NAME = 'first start';

/** What the database keeps of a token. A token is 256 random bits, so a fast hash without salt is enough. */
export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest();

const newToken = (): string => `dsk_${randomBytes(TOKEN_BYTES).toString('base64url')}`;

/** Makes a token. Only this answer ever holds it. */
export async function createToken(
  db: Db,
  { role, name }: Pick<ApiToken, 'role' | 'name'>,
): Promise<{ token: string; id: string; role: Role }> {
  const token = newToken();
  const id = await insertToken(db, token, { role, name });
  return { token, id, role };
}

async function insertToken(db: Db, token: string, given: Pick<ApiToken, 'role' | 'name'>): Promise<string> {
  const id = `tok_${randomBytes(6).toString('hex')}`;
  await db
    .insertInto('durasync.api_tokens')
    .values({ id, ...given, token_hash: hashToken(token) })
    .execute();
  return id;
}

/** Every token, also revoked ones, oldest first. */
export async function listTokens(db: Db): Promise<ApiToken[]> {
  const rows = await db.selectFrom('durasync.api_tokens').selectAll().orderBy('created_at').execute();
  return rows.map(({ id, role, name, created_at, last_used_at, revoked_at }) => ({
    id,
    role,
    name,
    created_at: created_at.toISOString(),
    last_used_at: last_used_at?.toISOString() ?? null,
    revoked_at: revoked_at?.toISOString() ?? null,
  }));
}

/** Ends a token for good. Safe to repeat; false when there is no such token. */
export async function revokeToken(db: Db, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('durasync.api_tokens')
    .set({ revoked_at: sql<Date>`coalesce(revoked_at, clock_timestamp())` })
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Whose token this is; undefined for one that is unknown or revoked. Notes the use, at most once a minute. */
export const findToken = (db: Db, token: string) => findTokenByHash(db, hashToken(token));

/** The same by what the database keeps of it. */
export async function findTokenByHash(
  db: Db,
  tokenHash: Buffer,
): Promise<Pick<ApiToken, 'id' | 'role' | 'name'> | undefined> {
  const found = await db
    .selectFrom('durasync.api_tokens')
    .select(['id', 'role', 'name'])
    .select(sql<boolean>`coalesce(last_used_at < now() - interval '1 minute', true)`.as('stale'))
    .where('token_hash', '=', tokenHash)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (!found) return undefined;
  const { stale, ...owner } = found;
  if (stale) {
    await db
      .updateTable('durasync.api_tokens')
      .set({ last_used_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', owner.id)
      .execute();
  }
  return owner;
}

/**
 * Makes sure that the home keeps an admin token (mode 600) that this database knows, so that the same file works
 * for the demo's database and the real one. A revoked one is replaced. Safe to repeat.
 *
 * @returns its hash, for a login link
 */
export async function ensureAdminToken(home: Home, db: Db): Promise<Buffer> {
  const path = home.path(ADMIN_TOKEN_FILE);
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim();
  const row = await db
    .selectFrom('durasync.api_tokens')
    .select('revoked_at')
    .where('token_hash', '=', hashToken(kept))
    .executeTakeFirst();
  if (row && row.revoked_at === null) return hashToken(kept);
  const usable = TOKEN.test(kept) && row === undefined;
  const token = usable ? kept : newToken();
  // The file comes first: a token that only the database has is of no use to anybody.
  if (!usable) await writePrivateFile(path, `${token}\n`);
  await insertToken(db, token, { role: 'admin', name: ADMIN_TOKEN_NAME });
  return hashToken(token);
}
