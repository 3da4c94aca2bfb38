import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { FinishedRun, FinishRunInput, RunSyncInput } from '../src/domain/contracts.ts';
import { holdId, type RunId } from '../src/domain/ids.ts';
import type { RunPlan, RunTrigger } from '../src/domain/run-plan.ts';
import { heavy, heavySummary, quick, quickSummary } from './activities.ts';
import { allEnded } from './all-ended.ts';
import { decideHold } from './decide-hold.ts';
import { describeResult } from './describe.ts';
import { failureMessage } from './failure-message.ts';
import { loadTable, type TableOutcome } from './load-table.ts';
import { pinToVersion } from './pinned.ts';
import { readInTurns } from './read-in-turns.ts';
import { runSteps } from './run-steps.ts';
import { testConnection } from './test-connection.ts';

/**
 * One run of one sync: plan, then a connection test if the plan has one, then every table side by side, then enrich
 * and derive, then the result. A run with held tables ends as `held`; `decideHold` then waits for a person.
 */
export async function runSync(input: RunSyncInput): Promise<FinishedRun> {
  refuseUnclear(input);
  const info = workflowInfo();
  const runId = info.firstExecutionRunId as RunId;
  const trigger = input.trigger ?? triggerOf(info.searchAttributes);
  // Who starts a run may have given it these, which costs the server less.
  if (!info.searchAttributes['RunStatus']) upsertSearchAttributes(attributesOfRun(input.sync, trigger));
  try {
    const plan = await quick.planRun.executeWithOptions(quickSummary(`plan ${input.sync}`), [
      { ...input, runId, workflowId: info.workflowId, trigger, logicalAt: logicalInstant(info) },
    ]);
    const result = await endRun(plan);
    upsertSearchAttributes({ RunStatus: [result.status] });
    setCurrentDetails(describeResult(result));
    return result;
  } catch (error) {
    upsertSearchAttributes({ RunStatus: [isCancellation(error) ? 'cancelled' : 'failed'] });
    throw error;
  }
}

pinToVersion(runSync);

/** By which a run is found as long as it goes on. */
export const attributesOfRun = (sync: string, trigger: RunTrigger) => ({
  SyncName: [sync],
  SyncTrigger: [trigger],
  RunStatus: ['running'],
});

/** What comes from the plain Temporal CLI is not typed. The rest is checked by `planRun`. */
function refuseUnclear(input: Partial<RunSyncInput> | undefined): void {
  if (typeof input === 'object' && typeof input?.sync === 'string') return;
  throw ApplicationFailure.nonRetryable(
    'The input of runSync is an object such as {"sync":"fleet"}.',
    'InvalidInput',
  );
}

/** Loads and finishes; whatever interrupts the load, the run's row still gets its end. */
async function endRun(plan: RunPlan): Promise<FinishedRun> {
  try {
    return await CancellationScope.withTimeout(plan.deadlineMs, () => loadAll(plan));
  } catch (error) {
    if (!isCancellation(error)) {
      await finish(plan, { status: 'failed', message: failureMessage(error) });
      throw error;
    }
    const byPerson = CancellationScope.current().consideredCancelled;
    const result = await CancellationScope.nonCancellable(() =>
      finish(plan, {
        status: byPerson ? 'cancelled' : 'failed',
        message: byPerson
          ? 'The run was cancelled.'
          : `The run was stopped at its deadline of ${Math.round(plan.deadlineMs / 60_000)} minutes.`,
      }),
    );
    if (byPerson) throw error;
    return result;
  }
}

async function loadAll(plan: RunPlan): Promise<FinishedRun> {
  const refused = await testConnection(plan);
  if (refused) return finish(plan, refused);
  const read = readInTurns(plan);
  const loads = new Map<string, Promise<TableOutcome>>();
  for (const table of plan.tables) loads.set(table.table, loadTable(plan, table, read));
  const ended = (tables: readonly string[]) => Promise.all(tables.flatMap((table) => loads.get(table) ?? []));
  if (plan.kind === 'plan') {
    const outcomes = await allEnded([...loads.values()]);
    return finish(plan, { status: 'planned', notices: outcomes.flatMap(({ notices = [] }) => notices) });
  }
  const [outcomes, steps] = await allEnded([allEnded([...loads.values()]), runSteps(plan, ended)]);
  const held = outcomes.flatMap((outcome) => (outcome.status === 'held' ? [outcome.held] : []));
  if (held.length > 0) {
    const relations = held.flatMap(({ staged, review }) => [
      { relation: staged.relation, rows: staged.staged },
      ...(review.relation === staged.relation
        ? []
        : [{ relation: review.relation, rows: review.rows + review.missing }]),
    ]);
    await heavy.keepStaging.executeWithOptions(heavySummary(`keep ${held.length} held tables`), [
      { runId: plan.runId, relations },
    ]);
    await startChild(decideHold, {
      workflowId: holdId(plan.runId),
      args: [{ plan, held }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${plan.sync}: ${held.map(({ table }) => table.table).join(', ')} wait for a decision`,
    });
  }
  const all = [...outcomes, ...steps.enrich, ...steps.derive];
  return finish(plan, { ...steps, notices: all.flatMap(({ notices = [] }) => notices) });
}

function finish(plan: RunPlan, end: Omit<FinishRunInput, 'runId'>): Promise<FinishedRun> {
  return quick.finishRun.executeWithOptions(quickSummary('finish the run'), [{ runId: plan.runId, ...end }]);
}

type Attributes = ReturnType<typeof workflowInfo>['searchAttributes'];

/** A run that nobody named a trigger for was started by a schedule or by hand. */
function triggerOf(attributes: Attributes): RunTrigger {
  return attributes['TemporalScheduledById'] ? 'schedule' : 'manual';
}

/** The time a scheduled run was meant for, however late it starts; else its start. */
function logicalInstant({ searchAttributes, startTime }: ReturnType<typeof workflowInfo>): string {
  const scheduled = searchAttributes['TemporalScheduledStartTime']?.[0];
  return scheduled === undefined ? startTime.toISOString() : new Date(String(scheduled)).toISOString();
}
