import type { Client } from '@temporalio/client';
import { audit } from '../../db/audit.ts';
import {
  applySchedules,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  type Triggered,
  triggerSchedule,
} from '../../temporal/schedules.ts';
import { actor, withSession } from '../context.ts';
import { printJson, printLine, renderTable } from '../output.ts';

/** Every schedule with its next three times. */
export async function list(options: { readonly json?: true }): Promise<void> {
  await withSession(async ({ client }) => {
    const schedules = await listSchedules(client);
    if (options.json) return printJson(schedules);
    const rows = schedules.map((schedule) => [
      schedule.id,
      schedule.spec,
      schedule.paused ? `paused: ${schedule.note}` : 'on',
      schedule.nextTimes.map((time) => time.slice(0, 16).replace('T', ' ')).join(', '),
    ]);
    printLine(renderTable(['schedule', 'when', 'state', 'next times (UTC)'], rows));
  });
}

/** Brings the schedules in line with the settings. */
export async function apply(): Promise<void> {
  await withSession(async ({ client, syncs, targets, database }) => {
    await applySchedules({ client, syncs, env: targets.env });
    await audit(database.db, { actor: actor(), action: 'apply schedules', subject: 'schedules' });
    printLine('schedules applied; see them with: npx durasync schedules list');
  });
}

/** Pauses, resumes or triggers one schedule. */
export async function change(
  what: 'pause' | 'resume' | 'trigger',
  id: string,
  options: { readonly reason?: string },
): Promise<void> {
  await withSession(async ({ client, database }) => {
    const { reason } = options;
    const done = await changeSchedule(client, what, id, reason);
    await audit(database.db, { actor: actor(), action: `${what} schedule`, subject: id, detail: { reason } });
    printLine(`${id}: ${done}`);
  });
}

async function changeSchedule(
  client: Client,
  what: 'pause' | 'resume' | 'trigger',
  id: string,
  reason: string | undefined,
): Promise<string> {
  switch (what) {
    case 'pause':
      await pauseSchedule(client, id, `Paused by ${actor()}${reason ? `: ${reason}` : ''}`);
      return 'paused';
    case 'resume':
      await resumeSchedule(client, id);
      return 'resumed';
    case 'trigger':
      return describeTrigger(await triggerSchedule(client, id));
  }
}

function describeTrigger(triggered: Triggered): string {
  switch (triggered.outcome) {
    case 'started':
      return `started run ${triggered.runId}`;
    case 'already-running':
      return `run ${triggered.runId} is still open, so no other was started`;
    case 'requested':
      return 'requested; see it with: npx durasync runs';
  }
}
