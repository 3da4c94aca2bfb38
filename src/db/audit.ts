import { sql } from 'kysely';
import type { Db } from './connect.ts';

export interface AuditEntry {
  /** Who: `cli:alice`, `token:ci`. */
  readonly actor: string;
  /** What was done: 'run', 'approve', 'pause schedule'. */
  readonly action: string;
  /** To what: a sync, a run id, a schedule. */
  readonly subject: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Records who did what, when. Never holds a secret. */
export async function audit(db: Db, { actor, action, subject, detail = {} }: AuditEntry): Promise<void> {
  await db
    .insertInto('durasync.audit_log')
    .values({ actor, action, subject, detail: JSON.stringify(detail) })
    .execute();
}

/** Records an action that happens to a subject once, unless whoever asked for it has recorded it already. */
export async function auditOnce(db: Db, { actor, action, subject, detail = {} }: AuditEntry): Promise<void> {
  await sql`
    INSERT INTO durasync.audit_log (actor, action, subject, detail)
    SELECT ${actor}, ${action}, ${subject}, ${JSON.stringify(detail)}::jsonb
    WHERE NOT EXISTS (SELECT FROM durasync.audit_log WHERE subject = ${subject} AND action = ${action})`.execute(
    db,
  );
}

/**
 * Records an action that nobody has recorded who asked for it, because it came from Temporal itself. Safe to repeat.
 *
 * @param event names this one happening, such as a step of a workflow
 */
export async function auditEvent(
  db: Db,
  { actor, action, subject, detail = {} }: AuditEntry,
  event: string,
): Promise<void> {
  await sql`
    INSERT INTO durasync.audit_log (actor, action, subject, detail)
    SELECT ${actor}, ${action}, ${subject}, ${JSON.stringify({ ...detail, event })}::jsonb
    WHERE NOT EXISTS (SELECT FROM durasync.audit_log WHERE subject = ${subject} AND detail ->> 'event' = ${event})`.execute(
    db,
  );
}
