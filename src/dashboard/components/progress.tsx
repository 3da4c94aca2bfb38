import type { OpenRun } from '../api-types.ts';
import { capital, count, words } from '../format.ts';
import { Link } from '../router.tsx';
import { Status } from './status.tsx';
import { Elapsed } from './time.tsx';

const STEPS = ['read', 'review', 'merge', 'archive'] as const;

/** How many of the four steps a table has behind it, and what is done with it now. */
function stepsOf({ status, stage }: OpenRun['tables'][number]): { done: number; now: string } {
  if (status === 'completed' || status === 'skipped') return { done: STEPS.length, now: words(status) };
  if (status === 'held' || status === 'failed') return { done: 2, now: status };
  switch (stage) {
    case null:
      return { done: 0, now: 'waiting' };
    case 'stage':
      return { done: 0, now: 'reading' };
    case 'review':
      return { done: 1, now: 'reviewing' };
    case 'merged':
      return { done: 3, now: 'merged' };
    default:
      return { done: STEPS.length, now: stage };
  }
}

/** The tables of a run that is under way, each with its steps and the rows it has read. */
export function Progress({ tables }: Pick<OpenRun, 'tables'>) {
  if (tables.length === 0) return <p class="muted">Waiting for a worker.</p>;
  return (
    <ul class="progress">
      {tables.map((table) => {
        const { done, now } = stepsOf(table);
        const waiting = now === 'waiting';
        return (
          <li key={table.table}>
            <span class="progress-name">{table.table}</span>
            <span
              class={`steps ${table.status}`}
              role="progressbar"
              aria-label={`${table.table}: ${now}`}
              aria-valuemin={0}
              aria-valuemax={STEPS.length}
              aria-valuenow={done}
            >
              {STEPS.map((step, index) => (
                <i key={step} class={index < done ? 'done' : index === done && !waiting ? 'now' : ''} />
              ))}
            </span>
            <span class="progress-now">{now}</span>
            <span class="number">{table.fetched > 0 && `${count(table.fetched)} rows`}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** One run that is under way. */
export function RunningRun({ run }: { readonly run: OpenRun }) {
  return (
    <article class="card">
      <div class="card-head">
        <h3>
          <Link to={`/runs/${run.run_id}`}>
            {capital(run.sync)}
            {run.kind === 'sync' ? '' : ` ${run.kind}`}
          </Link>
        </h3>
        <Status status="running" />
        <span class="muted">
          <Elapsed since={run.started_at} />
        </span>
      </div>
      <Progress tables={run.tables} />
    </article>
  );
}
