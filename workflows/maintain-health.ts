import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { databaseWasDown, type HealthReport } from '../src/domain/health.ts';
import { health } from './activities.ts';

/** Looks at everything and tells people what has changed. Its schedule hands it the report before. */
export async function maintainHealth(): Promise<HealthReport> {
  const before = workflowInfo().lastResult as HealthReport | undefined;
  const report = await health.checkHealth({ databaseWasDown: databaseWasDown(before) });
  const lines = report.checks.map(({ name, status, message }) => `- **${status}** ${name}: ${message}`);
  setCurrentDetails([report.status, '', ...lines].join('\n'));
  return report;
}
