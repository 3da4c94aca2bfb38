import { at, query } from '../api.ts';
import type { RunSummary, Sync } from '../api-types.ts';
import { Empty, Page, PageWith, Section, With } from '../components/page.tsx';
import { Plot } from '../components/plot.tsx';
import { RunsTable } from '../components/runs-table.tsx';
import { StartButtons } from '../components/run-actions.tsx';
import { Status } from '../components/status.tsx';
import { count, capital, duration } from '../format.ts';
import { Link } from '../router.tsx';
import { useApi } from '../use-api.ts';
import { ScheduleTable } from './schedules.tsx';

const PLOTTED = 200;
const LISTED = 10;

/** One sync: how its runs went over time, when it runs, and its last runs. */
export function SyncPage({ name }: { readonly name: string }) {
  const sync = useApi('/api/syncs/$', at('/api/syncs/$', name), ['runs']);
  return (
    <PageWith title={capital(name)} loaded={sync}>
      {(data) => <Shown sync={data} />}
    </PageWith>
  );
}

function Shown({ sync }: { readonly sync: Sync }) {
  const { name, title, last_run: last, tables } = sync;
  const runs = useApi('/api/runs', query('/api/runs', { sync: name, kind: 'sync', limit: PLOTTED }), [
    'runs',
  ]);
  const schedules = useApi('/api/schedules', '/api/schedules', ['runs', 'audit']);
  const own = schedules.data?.filter(({ sync: of }) => of === name) ?? [];
  return (
    <Page
      title={capital(name)}
      beside={last && <Status status={last.status} />}
      actions={<StartButtons sync={sync} />}
      about={
        <>
          {capital(title.replace(/^[^:]*: /, ''))} · tables {tables.map((table) => table.name).join(', ')}
        </>
      }
    >
      {sync.off && <div class="notice">{sync.off}</div>}
      <With loaded={runs}>
        {(data) =>
          data.length === 0 ? (
            <Empty title="It has not run yet">
              Start it above, or wait for its schedule. <code>npx durasync plan {name}</code> shows what it
              would do.
            </Empty>
          ) : (
            <>
              <Plots runs={data} />
              <Section title="Last runs" beside={<Link to={`/runs?sync=${name}`}>All runs</Link>}>
                <RunsTable runs={data.slice(0, LISTED)} />
              </Section>
            </>
          )
        }
      </With>
      {own.length > 0 && (
        <Section title="Schedules">
          <ScheduleTable schedules={own} />
        </Section>
      )}
    </Page>
  );
}

function Plots({ runs }: { readonly runs: readonly RunSummary[] }) {
  const ended = runs.filter((run) => run.completed_at !== null).reverse();
  if (ended.length < 2) return null;
  const times = ended.map((run) => Date.parse(run.started_at) / 1000);
  return (
    <Section title="Over time">
      <div class="plots">
        <Plot
          title="Duration"
          times={times}
          values={ended.map((run) => run.duration_seconds ?? 0)}
          show={duration}
        />
        <Plot
          title="Rows"
          times={times}
          values={ended.map((run) => run.total_rows_processed)}
          show={count}
          whole
        />
        <Plot
          title="Quarantined"
          times={times}
          values={ended.map((run) => run.quarantined)}
          show={count}
          whole
        />
      </div>
    </Section>
  );
}
