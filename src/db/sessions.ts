import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from './connect.ts';

/** A login ends after this long, and earlier when it was not used for `IDLE_HOURS`. */
const LIFETIME_HOURS = 7 * 24;
const IDLE_HOURS = 24;
const CODE_MINUTES = 10;
const SECRET_BYTES = 32;

/** 256 random bits, so a fast hash without salt is enough. */
const hash = (secret: string): Buffer => createHash('sha256').update(secret).digest();
const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

/** A session as its own browser may see it. */
export interface OpenedSession {
  /** Only this answer and the browser's cookie ever hold it. */
  readonly id: string;
  readonly expiresAt: Date;
}

/** Makes a code that logs in once, within ten minutes, with what the token may do. */
export async function createLoginCode(db: Db, tokenHash: Buffer): Promise<string> {
  const code = newSecret();
  await sql`DELETE FROM durasync.login_codes WHERE expires_at < now()`.execute(db);
  await db
    .insertInto('durasync.login_codes')
    .values({
      code_hash: hash(code),
      token_hash: tokenHash,
      expires_at: sql<Date>`clock_timestamp() + make_interval(mins => ${CODE_MINUTES})`,
    })
    .execute();
  return code;
}

/** Uses a code up. @returns the hash of its token; undefined for a code that is unknown, used or too old */
export async function useLoginCode(db: Db, code: string): Promise<Buffer | undefined> {
  const used = await db
    .deleteFrom('durasync.login_codes')
    .where('code_hash', '=', hash(code))
    .returning(['token_hash', sql<boolean>`expires_at > clock_timestamp()`.as('fresh')])
    .executeTakeFirst();
  return used?.fresh ? used.token_hash : undefined;
}

/** Opens a session for whoever showed the token. Sessions that have ended are forgotten meanwhile. */
export async function openSession(db: Db, tokenHash: Buffer): Promise<OpenedSession> {
  const id = newSecret();
  await sql`DELETE FROM durasync.sessions
    WHERE expires_at < now() OR last_seen_at < now() - make_interval(hours => ${IDLE_HOURS})`.execute(db);
  const { expires_at: expiresAt } = await db
    .insertInto('durasync.sessions')
    .values({
      id_hash: hash(id),
      token_hash: tokenHash,
      expires_at: sql<Date>`clock_timestamp() + make_interval(hours => ${LIFETIME_HOURS})`,
    })
    .returning('expires_at')
    .executeTakeFirstOrThrow();
  return { id, expiresAt };
}

/** The hash of the token that opened a session; undefined when there is none or it has ended. Notes the use, at most once a minute. */
export async function findSession(db: Db, id: string): Promise<Buffer | undefined> {
  const found = await db
    .selectFrom('durasync.sessions')
    .select('token_hash')
    .select(sql<boolean>`last_seen_at < now() - interval '1 minute'`.as('stale'))
    .where('id_hash', '=', hash(id))
    .where('expires_at', '>', sql<Date>`now()`)
    .where('last_seen_at', '>', sql<Date>`now() - make_interval(hours => ${IDLE_HOURS})`)
    .executeTakeFirst();
  if (found?.stale) {
    await db
      .updateTable('durasync.sessions')
      .set({ last_seen_at: sql<Date>`clock_timestamp()` })
      .where('id_hash', '=', hash(id))
      .execute();
  }
  return found?.token_hash;
}

/** Logs out. Safe to repeat. */
export async function endSession(db: Db, id: string): Promise<void> {
  await db.deleteFrom('durasync.sessions').where('id_hash', '=', hash(id)).execute();
}
