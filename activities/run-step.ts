import type { StepInput } from '../src/domain/contracts.ts';
import { SyncFailure } from '../src/domain/failures.ts';
import type { StepResult } from '../src/domain/run-result.ts';
import { readSettings } from '../src/settings.ts';
import type { StepDefinition, SyncDefinition } from '../src/syncs/define-sync.ts';
import { type ActivityDependencies, findSync } from './dependencies.ts';

export interface StepCall {
  readonly signal: AbortSignal;
  progress(detail: string): void;
}

/** Runs an enrich step: look-ups outside. Safe to repeat; answers already had are not asked for again. */
export const enrichTable = (
  deps: ActivityDependencies,
  input: StepInput,
  call: StepCall,
): Promise<StepResult> => runStep(deps, input, call, (sync) => sync.enrich);

/** Runs a derive step: columns computed from our own data. Safe to repeat. */
export const deriveTable = (
  deps: ActivityDependencies,
  input: StepInput,
  call: StepCall,
): Promise<StepResult> => runStep(deps, input, call, (sync) => sync.derive);

async function runStep(
  { database, syncs, env, http, wakeNotifications }: ActivityDependencies,
  input: StepInput,
  call: StepCall,
  stepsOf: (sync: SyncDefinition) => readonly StepDefinition[],
): Promise<StepResult> {
  const sync = findSync(syncs, input.sync);
  const step = stepsOf(sync).find(({ name }) => name === input.step.step);
  if (!step) throw new SyncFailure('InvalidInput', `${sync.name} has no step '${input.step.step}'.`);
  const progress = (detail: string): void => call.progress(`${step.name}: ${detail}`);
  progress('under way');
  const result = await step.run({
    database,
    runId: input.runId,
    logicalAt: new Date(input.logicalAt),
    timeZone: input.timeZone,
    settings: readSettings(sync.settings, env),
    http,
    signal: call.signal,
    progress,
    wakeNotifications,
  });
  return { step: step.name, ...result };
}
