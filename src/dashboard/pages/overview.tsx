import type { RunSummary, Schedule, Sync } from '../api-types.ts';
import { Empty, Page, Section, With } from '../components/page.tsx';
import { Concerns } from '../components/concerns.tsx';
import { RunningRun } from '../components/progress.tsx';
import { StartButtons } from '../components/run-actions.tsx';
import { Spark } from '../components/spark.tsx';
import { Status } from '../components/status.tsx';
import { DataTable } from '../components/table.tsx';
import { Ago } from '../components/time.tsx';
import { capital, count, duration } from '../format.ts';
import { live } from '../live.ts';
import { Link } from '../router.tsx';
import { useStore } from '../store.ts';
import { useApi } from '../use-api.ts';

/** What needs a decision, what runs, what is late, and how every sync is doing. */
export function Overview() {
  const syncs = useApi('/api/syncs', '/api/syncs', ['runs']);
  const schedules = useApi('/api/schedules', '/api/schedules', ['runs', 'audit']);
  const held = useApi('/api/runs', '/api/runs?status=held&limit=100', ['runs']);
  const { open } = useStore(live);
  return (
    <Page title="Overview">
      {held.data && held.data.length > 0 && <Decisions held={held.data} />}
      <Concerns />
      {open.length > 0 && (
        <Section title="Running now">
          <div class="cards">
            {open.map((run) => (
              <RunningRun key={run.run_id} run={run} />
            ))}
          </div>
        </Section>
      )}
      <Section title="Syncs">
        <With loaded={syncs}>{(data) => <Syncs syncs={data} schedules={schedules.data ?? []} />}</With>
      </Section>
    </Page>
  );
}

function Decisions({ held }: { readonly held: readonly RunSummary[] }) {
  return (
    <Section title="Needs your decision">
      <ul class="decisions">
        {held.map((run) => (
          <li key={run.run_id}>
            <div>
              <p class="decision-title">
                {capital(run.sync)} is held <span class="muted">since </span>
                <Ago at={run.completed_at ?? run.started_at} />
              </p>
              <p class="decision-reason">{run.error_message}</p>
            </div>
            <Link class="button primary" to={`/runs/${run.run_id}`}>
              Look and decide<span class="hidden"> about {run.sync}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}

interface SyncsProps {
  readonly syncs: readonly Sync[];
  readonly schedules: readonly Schedule[];
}

function Syncs({ syncs, schedules }: SyncsProps) {
  if (syncs.length === 0)
    return <Empty title="No syncs are defined">See the README: add a sync in five steps.</Empty>;
  return (
    <DataTable
      label="Syncs"
      rows={syncs}
      keyOf={(sync) => sync.name}
      below={(sync) => sync.off && <p class="muted">{sync.off}</p>}
      columns={[
        {
          label: 'Sync',
          wide: true,
          cell: (sync) => (
            <div class="two-lines">
              <Link to={`/syncs/${sync.name}`} class="strong">
                {capital(sync.name)}
              </Link>
              <span class="muted">{sync.title.replace(/^[^:]*: /, '')}</span>
            </div>
          ),
        },
        { label: 'Last run', cell: (sync) => <LastRun sync={sync} /> },
        {
          label: 'Took',
          number: true,
          cell: ({ last_run: run }) => duration(run?.duration_seconds ?? null) || '–',
        },
        {
          label: 'Rows',
          number: true,
          cell: ({ last_run: run }) => (run ? count(run.total_rows_processed) : '–'),
        },
        {
          label: 'Lately',
          cell: (sync) => (sync.recent_runs.length > 1 ? <Spark runs={sync.recent_runs} /> : '–'),
        },
        { label: 'Next run', cell: (sync) => <NextRun sync={sync} schedules={schedules} /> },
        { label: 'Start', actions: true, cell: (sync) => <StartButtons sync={sync} /> },
      ]}
    />
  );
}

function LastRun({ sync: { last_run: run, off } }: { readonly sync: Sync }) {
  if (!run) return off ? <Status status="off" /> : <span class="muted">never</span>;
  return (
    <div class="two-lines">
      <Link to={`/runs/${run.run_id}`}>
        <Status status={run.status} />
      </Link>
      <span class="muted">
        <Ago at={run.started_at} />
      </span>
    </div>
  );
}

/** The earliest of its schedules that is not paused. */
function NextRun({ sync, schedules }: { readonly sync: Sync } & Pick<SyncsProps, 'schedules'>) {
  const own = schedules.filter(({ id }) => sync.schedules.includes(id));
  const [next] = own.flatMap(({ paused, next_times: times }) => (paused ? [] : times.slice(0, 1))).sort();
  if (next) return <Ago at={next} />;
  if (own.some(({ paused }) => paused)) return <Status status="paused" />;
  return <span class="muted nowrap">{sync.name === 'commerce' ? 'by client' : 'none'}</span>;
}
