import type { RunPlan } from '../src/domain/run-plan.ts';
import type { PlanUndoInput, TakeBackInput, TookBack } from '../src/domain/undo.ts';
import { openUndo } from '../src/db/open-undo.ts';
import { takeBack as takeBackRows } from '../src/db/undo.ts';
import { readSettings } from '../src/settings.ts';
import { tablesOf } from '../src/syncs/live-table-of.ts';
import { type ActivityDependencies, findSync } from './dependencies.ts';

/** Opens the row of a run that undoes another, and plans what derives again after it. Safe to repeat. */
export function planUndo(
  { database, syncs, env }: ActivityDependencies,
  input: PlanUndoInput,
): Promise<RunPlan> {
  return openUndo(database, input, ({ sync: name, scope }): RunPlan => {
    const sync = findSync(syncs, name);
    return {
      runId: input.runId,
      sync: name,
      scope,
      kind: 'undo',
      trigger: 'manual',
      logicalAt: input.logicalAt,
      timeZone: sync.timeZone(readSettings(sync.settings, env)),
      window: null,
      full: false,
      tables: [],
      sourceQueue: null,
      enrich: [],
      derive: sync.derive.map((step) => ({ step: step.name, after: [] })),
      deadlineMs: 0,
      holdMs: 0,
    };
  });
}

/** Takes back what a run wrote, in one transaction. Safe to repeat: a repeat returns the stored counts. */
export const takeBack = (
  { database, syncs }: ActivityDependencies,
  input: TakeBackInput,
): Promise<TookBack> => takeBackRows(database, input, tablesOf(syncs));
