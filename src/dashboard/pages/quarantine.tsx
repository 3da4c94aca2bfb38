import { query } from '../api.ts';
import { Choice, Filters, useFilters } from '../components/filters.tsx';
import { Empty, Page, With } from '../components/page.tsx';
import { QuarantineList } from '../components/quarantine-list.tsx';
import { useMore } from '../components/show-more.tsx';
import { shortId } from '../format.ts';
import { Link } from '../router.tsx';
import { useApi } from '../use-api.ts';

/** Rows that could not be taken, newest first. */
export function Quarantine() {
  const filters = useFilters(['sync', 'table', 'run_id']);
  const { limit, moreButton } = useMore();
  const syncs = useApi('/api/syncs', '/api/syncs');
  const rows = useApi('/api/quarantine', query('/api/quarantine', { ...filters, limit }), ['quarantine']);
  const shown = syncs.data?.filter(({ name }) => filters.sync === undefined || name === filters.sync) ?? [];
  return (
    <Page
      title="Quarantine"
      about={
        <>
          A row that cannot be taken waits here, and its live row stays as it was. Mend the source, or let
          corrected rules take it: <code>npx durasync quarantine replay</code>
        </>
      }
    >
      <Filters>
        <Choice name="sync" label="Sync" options={syncs.data?.map(({ name }) => name) ?? []} />
        <Choice
          name="table"
          label="Table"
          options={shown.flatMap(({ tables }) => tables.map(({ name }) => name))}
        />
        {filters.run_id && (
          <p class="filter-note">
            Of <Link to={`/runs/${filters.run_id}`}>run {shortId(filters.run_id)}</Link> ·{' '}
            <Link to="/quarantine">all runs</Link>
          </p>
        )}
      </Filters>
      <With loaded={rows}>
        {(data) =>
          data.length === 0 ? (
            <Empty title="No row is in quarantine">
              Every row of the sources could be taken. Nothing to do.
            </Empty>
          ) : (
            <>
              <QuarantineList rows={data} />
              {moreButton(data.length === limit)}
            </>
          )
        }
      </With>
    </Page>
  );
}
