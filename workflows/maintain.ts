import { ActivityFailure, ApplicationFailure, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import {
  backupName,
  type MaintainBackupInput,
  type MaintainedBackup,
  type MaintainedRetention,
} from '../src/domain/backups.ts';
import { care } from './activities.ts';
import { logicalInstant } from './logical-instant.ts';

/**
 * Backs the database up into the folder and, when one is set, the bucket. Named after the time it was meant for, so
 * that a repeat makes no second one. People hear of a failure once, and once that it is over.
 */
export async function maintainBackup(input: MaintainBackupInput = {}): Promise<MaintainedBackup> {
  try {
    const made = await backUp(input.name ?? backupName(logicalInstant()));
    await care.noteBackups({ cause: 'backup', problem: null });
    return made;
  } catch (error) {
    if (!isCancellation(error)) await care.noteBackups({ cause: 'backup', problem: reasonOf(error).message });
    throw error;
  }
}

async function backUp(name: string): Promise<MaintainedBackup> {
  const backup = await care.createBackup({ name });
  setCurrentDetails(`${backup.rows} rows in ${backup.location}`);
  const uploaded = await care.uploadBackup({ name });
  if (uploaded !== null) setCurrentDetails(`${backup.rows} rows in ${backup.location} and ${uploaded}`);
  return { backup, uploaded };
}

/**
 * Proves the newest backup by restoring it, then removes what is past its age. When that backup turns out to be bad,
 * people hear of it, no backup is removed and the run fails in the end. Safe to repeat.
 */
export async function maintainRetention(): Promise<MaintainedRetention> {
  const { verified, problem } = await verifyNewest();
  const isBad = problem?.type === 'BackupUnusable';
  if (isBad || verified) {
    await care.noteBackups({ cause: 'backup-check', problem: isBad ? problem.message : null });
  }
  const backups = isBad ? null : await care.pruneBackups();
  const removed = await care.removeOldRows();
  const rows = Object.values(removed).reduce((sum, each) => sum + each, 0);
  setCurrentDetails(`${backups?.removed.length ?? 0} backups, ${rows} rows and logs removed`);
  if (isBad) throw problem;
  return { verified, backups, removed, notices: problem ? [problem.message] : [] };
}

async function verifyNewest(): Promise<
  Pick<MaintainedRetention, 'verified'> & { problem?: ApplicationFailure }
> {
  try {
    return { verified: await care.verifyNewestBackup() };
  } catch (error) {
    const problem = reasonOf(error);
    if (isCancellation(error) || !(problem instanceof ApplicationFailure)) throw error;
    return { verified: null, problem };
  }
}

/** What the step itself said. */
function reasonOf(error: unknown): Error {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof Error ? cause : new ApplicationFailure(String(cause));
}
