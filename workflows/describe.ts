import type { RunResult } from '../src/domain/run-result.ts';

/** The details of a run in the Web UI, as Markdown. */
export function describeResult(result: RunResult): string {
  const rows = result.tables.map(
    (t) =>
      `| ${t.table} | ${t.status} | ${t.rows_processed} | ${t.inserted} | ${t.updated} | ${t.unchanged} | ` +
      `${t.archived} | ${t.restored} | ${t.quarantined} | ${t.error ?? ''} |`,
  );
  const steps = [...result.enrich, ...result.derive].map((step) => `- ${step.step}: ${step.summary}`);
  return [
    `**${result.sync}: ${result.status}** — ${result.total_rows_processed} rows in ${result.duration_seconds} s`,
    '',
    '| table | status | rows | inserted | updated | unchanged | archived | restored | quarantined | note |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...rows,
    '',
    ...steps,
  ].join('\n');
}
