import { sql } from 'kysely';
import type { Db } from './connect.ts';

/** Who did what to what, when. */
interface AuditRow {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AuditFilter {
  /** The first letters of who: `cli:`, `token:ci`. */
  readonly actor?: string;
  readonly action?: string;
  /** The first letters of what it was done to. */
  readonly subject?: string;
  /** Instants (ISO), from inclusive and until exclusive. */
  readonly since?: string;
  readonly until?: string;
  /** Only rows before the one of this number: the next page. */
  readonly before?: number;
  readonly limit: number;
}

export interface AuditPage {
  readonly entries: readonly AuditRow[];
  /** What `before` has to be for the next page; null behind the last one. */
  readonly next: number | null;
}

/** One page of the audit log, newest first. */
export async function listAudit(db: Db, filter: AuditFilter): Promise<AuditPage> {
  const { actor, action, subject, since, until, before, limit } = filter;
  let query = db
    .selectFrom('durasync.audit_log')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (actor !== undefined) query = query.where(sql<boolean>`starts_with(actor, ${actor})`);
  if (action !== undefined) query = query.where('action', '=', action);
  if (subject !== undefined) query = query.where(sql<boolean>`starts_with(subject, ${subject})`);
  if (since !== undefined) query = query.where('at', '>=', new Date(since));
  if (until !== undefined) query = query.where('at', '<', new Date(until));
  if (before !== undefined) query = query.where('id', '<', before);
  const rows = await query.execute();
  const entries = rows.slice(0, limit).map(({ at, ...row }) => ({ ...row, at: at.toISOString() }));
  return { entries, next: rows.length > limit ? (entries.at(-1)?.id ?? null) : null };
}
