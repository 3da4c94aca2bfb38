import { query } from '../api.ts';
import { Choice, Filters, useFilters } from '../components/filters.tsx';
import { Empty, Page, With } from '../components/page.tsx';
import { RunsTable } from '../components/runs-table.tsx';
import { useMore } from '../components/show-more.tsx';
import { Link } from '../router.tsx';
import { useApi } from '../use-api.ts';

const STATUSES = [
  'running',
  'held',
  'completed',
  'completed_with_errors',
  'failed',
  'planned',
  'rejected',
  'cancelled',
  'undone',
];
const KINDS = ['sync', 'plan', 'import', 'replay', 'undo'];

/** The history, newest first. */
export function Runs() {
  const filters = useFilters(['sync', 'status', 'kind']);
  const { limit, moreButton } = useMore();
  const syncs = useApi('/api/syncs', '/api/syncs');
  const runs = useApi('/api/runs', query('/api/runs', { ...filters, limit }), ['runs']);
  return (
    <Page title="Runs">
      <Filters>
        <Choice name="sync" label="Sync" options={syncs.data?.map((sync) => sync.name) ?? []} />
        <Choice name="status" label="Status" options={STATUSES} />
        <Choice name="kind" label="Kind" options={KINDS} />
      </Filters>
      <With loaded={runs}>
        {(data) =>
          data.length === 0 ? (
            <Empty title={Object.keys(filters).length > 0 ? 'No run is like that' : 'Nothing has run yet'}>
              {Object.keys(filters).length > 0 ? (
                <>
                  Choose less, or see <Link to="/runs">all runs</Link>.
                </>
              ) : (
                <>
                  Start one on the <Link to="/">overview</Link>, or with <code>npx durasync run fleet</code>.
                </>
              )}
            </Empty>
          ) : (
            <>
              <RunsTable runs={data} />
              {moreButton(data.length === limit)}
            </>
          )
        }
      </With>
    </Page>
  );
}
