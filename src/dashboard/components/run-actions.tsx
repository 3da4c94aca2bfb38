import { at, send } from '../api.ts';
import type { StartedRun, Sync } from '../api-types.ts';
import { capital } from '../format.ts';
import { go } from '../router.tsx';
import { useMay } from '../session.ts';
import { Action } from './action.tsx';

/** Starts a run, or finds the one that is under way, and opens its page. */
async function start(sync: string, kind: 'sync' | 'plan'): Promise<string> {
  const run = await send<StartedRun>('POST', at('/api/syncs/$/runs', sync), { kind });
  go(`/runs/${run.run_id}`);
  const what = kind === 'plan' ? 'Planning' : 'Running';
  return run.started ? `${what} ${sync}.` : `${capital(sync)} is under way already; this is that run.`;
}

/** Runs a sync now, or shows first what a run would do. */
export function StartButtons({ sync }: { readonly sync: Pick<Sync, 'name' | 'off'> }) {
  const may = useMay('operator');
  // Clients have runs of their own: their page starts them.
  if (!may || sync.off !== null || sync.name === 'commerce') return null;
  return (
    <div class="buttons">
      <Action label="Run" about={sync.name} act={() => start(sync.name, 'sync')} />
      <Action label="Plan" about={sync.name} act={() => start(sync.name, 'plan')} />
    </div>
  );
}
