import { closeLead } from '../../syncs/rentals/close-lead.ts';
import { findDuplicates, removeSurplus } from '../../syncs/rentals/duplicates.ts';
import { verifyLeads, verifyRuns } from '../../syncs/rentals/verify.ts';
import { audit } from '../../db/audit.ts';
import { actor, EXIT, UsageError, withSession } from '../context.ts';
import { count, printJson, printLine, renderTable } from '../output.ts';

interface JsonOption {
  readonly json?: true;
}

/** Moves a lead to `reports`. */
export async function close(id: string, { json }: JsonOption): Promise<void> {
  const leadId = Number(id);
  if (!/^\d{1,15}$/.test(id)) throw new UsageError(`'${id}' is not the number of a lead.`);
  await withSession(async ({ database }) => {
    const closed = await closeLead(database, leadId, actor());
    if (json) printJson(closed);
    else printLine(`lead ${leadId} (${closed.lead_type}, ${closed.store}) is closed`);
  });
}

/** Shows leads that have become one; with `live` removes all but the oldest of each. */
export async function dedupe({ live, json }: JsonOption & { readonly live?: true }): Promise<void> {
  await withSession(async ({ database }) => {
    const duplicates = await findDuplicates(database.db);
    const surplus = duplicates.reduce((sum, each) => sum + each.surplus.length, 0);
    const removed = live ? await removeSurplus(database, duplicates, actor()) : 0;
    if (live) {
      await audit(database.db, { actor: actor(), action: 'dedupe', subject: 'leads', detail: { removed } });
    }
    if (json) return printJson({ dry_run: !live, duplicates, surplus, removed });
    const rows = duplicates.map((each) => [each.lead_type, `${each.kept}`, each.surplus.join(', ')]);
    if (rows.length > 0) printLine(renderTable(['lead type', 'kept (oldest)', 'surplus'], rows));
    printLine(
      live
        ? `${count(removed)} leads removed`
        : `${count(surplus)} surplus leads; nothing was changed. Remove them with: npx durasync dedupe --live`,
    );
  });
}

/** Counts leads by type, and says what is wrong with them. Returns the exit code. */
export async function verifyData({ json }: JsonOption): Promise<number> {
  return withSession(async ({ database }) => {
    const report = await verifyLeads(database.db);
    const isRight = report.every((each) => each.duplicates === 0 && each.open_and_closed === 0);
    if (json) printJson({ ok: isRight, lead_types: report });
    else {
      const head = ['lead type', 'leads', 'closed', 'duplicates', 'open and closed', 'edited', 'newest'];
      const rows = report.map((each) => [
        each.lead_type,
        count(each.leads),
        count(each.closed),
        count(each.duplicates),
        count(each.open_and_closed),
        count(each.edited),
        each.newest ?? '',
      ]);
      printLine(renderTable(head, rows, head.slice(1, -1)));
      printLine(isRight ? 'every lead is there once' : 'see duplicates with: npx durasync dedupe');
    }
    return isRight ? EXIT.ok : EXIT.failed;
  });
}

/** Says how the last run of each table ended, and which locations are behind. Returns the exit code. */
export async function verifySync({ json }: JsonOption): Promise<number> {
  return withSession(async ({ database }) => {
    const report = await verifyRuns(database.db);
    const isRight = report.every((each) => each.status === 'completed' && each.behind.length === 0);
    if (json) printJson({ ok: isRight, tables: report });
    else {
      const head = [
        'table',
        'lead type',
        'last run',
        'status',
        'saved',
        'skipped',
        'quarantined',
        'locations',
        'behind',
      ];
      const rows = report.map((each) => [
        each.table,
        each.lead_type ?? '',
        each.completed_at ?? 'never',
        each.status,
        count(each.inserted),
        count(each.skipped),
        count(each.quarantined),
        count(each.locations),
        each.behind.join(', '),
      ]);
      printLine(renderTable(head, rows, ['saved', 'skipped', 'quarantined', 'locations']));
    }
    return isRight ? EXIT.ok : EXIT.failed;
  });
}
