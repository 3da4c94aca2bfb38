import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { Recorded, RecordingParts } from './history-scenarios.ts';

const FOLDER = join(tmpdir(), 'durasync-recorded-backups');

/** Leads the workflows that care for the database through their ways. */
export async function* recordMaintenanceScenarios({ client, env }: RecordingParts): AsyncGenerator<Recorded> {
  const run = async (workflow: string): Promise<WorkflowHandle> => {
    const handle = await client.workflow.start(workflow, {
      taskQueue: 'durasync',
      workflowId: `recording/${randomUUID()}`,
      args: [],
    });
    await handle.result();
    return handle;
  };
  env['BACKUP_DIR'] = FOLDER;
  yield { scenario: 'maintainBackup.completed', handle: await run('maintainBackup') };
  yield { scenario: 'maintainRetention.completed', handle: await run('maintainRetention') };
  await rm(FOLDER, { recursive: true, force: true });
}
