import { listAudit } from '../../db/audit-list.ts';
import { UsageError, withSession } from '../context.ts';
import { printJson, printLine, renderTable } from '../output.ts';

interface AuditOptions {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly since?: string;
  readonly until?: string;
  readonly before?: string;
  readonly limit: string;
  readonly json?: true;
}

const DETAIL_LENGTH_MAX = 80;

/** Who did what, when; newest first. */
export async function listAuditLog(options: AuditOptions): Promise<void> {
  const { actor, action, subject } = options;
  const filter = {
    actor,
    action,
    subject,
    since: instant('--since', options.since),
    until: instant('--until', options.until),
    before: options.before === undefined ? undefined : wholeNumber('--before', options.before),
    limit: wholeNumber('--limit', options.limit),
  };
  await withSession(async ({ database }) => {
    const page = await listAudit(database.db, filter);
    if (options.json) return printJson(page);
    if (page.entries.length === 0) return printLine('Nothing matches.');
    const rows = page.entries.map(({ at, actor: who, action: what, subject: to, detail }) => [
      at.slice(0, 19).replace('T', ' '),
      who,
      what,
      to,
      shownDetail(detail),
    ]);
    printLine(renderTable(['at (UTC)', 'who', 'did', 'to', 'detail'], rows));
    if (page.next !== null) printLine(`There is more: --before ${page.next}`);
  });
}

function shownDetail(detail: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(detail)
    .filter(([name, value]) => value !== null && value !== undefined && name !== 'event')
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
  return text.length > DETAIL_LENGTH_MAX ? `${text.slice(0, DETAIL_LENGTH_MAX)}…` : text;
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`${option} must be a whole number above 0, not '${text}'.`);
}

function instant(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new UsageError(
    `${option} must be a day or an instant (2026-11-27 or 2026-11-27T02:00:00Z), not '${text}'.`,
  );
}
