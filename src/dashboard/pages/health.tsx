import type { HealthReport } from '../api-types.ts';
import { Page, With } from '../components/page.tsx';
import { Status } from '../components/status.tsx';
import { DataTable } from '../components/table.tsx';
import { Ago } from '../components/time.tsx';
import { capital, words } from '../format.ts';
import { useApi } from '../use-api.ts';

const WORST_FIRST: readonly HealthReport['status'][] = ['error', 'warning', 'healthy'];

/** What is well and what is not, looked at when the page is opened and whenever a run ends. */
export function Health() {
  const health = useApi('/api/health', '/api/health', ['runs']);
  return (
    <Page
      title="Health"
      beside={health.data && <Status status={health.data.status} />}
      about={
        health.data && (
          <>
            Looked at <Ago at={health.data.timestamp} />.
          </>
        )
      }
      actions={
        <button type="button" class="button plain" onClick={health.reload}>
          Look again
        </button>
      }
    >
      <With loaded={health}>{({ checks }) => <Checks checks={checks} />}</With>
    </Page>
  );
}

function Checks({ checks }: Pick<HealthReport, 'checks'>) {
  const sorted = [...checks].sort((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status));
  return (
    <DataTable
      label="Checks"
      rows={sorted}
      keyOf={({ name }) => name}
      columns={[
        { label: 'Check', cell: ({ name }) => <span class="strong">{capital(words(name))}</span> },
        { label: 'Status', cell: ({ status }) => <Status status={status} /> },
        { label: 'What was found', wide: true, cell: ({ message }) => message },
      ]}
    />
  );
}
