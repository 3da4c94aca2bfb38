import { send } from '../api.ts';
import type { Backup } from '../api-types.ts';
import { Action } from '../components/action.tsx';
import { Empty, Page, With } from '../components/page.tsx';
import { Badge } from '../components/status.tsx';
import { DataTable } from '../components/table.tsx';
import { Ago } from '../components/time.tsx';
import { bytes, count } from '../format.ts';
import { useMay } from '../session.ts';
import { useApi } from '../use-api.ts';

/** The backups there are; making one. Restoring is for the command line alone. */
export function Backups() {
  const backups = useApi('/api/backups', '/api/backups', ['runs', 'audit']);
  const may = useMay('operator');
  return (
    <Page
      title="Backups"
      actions={may && <Action label="Back up now" look="primary" act={start} />}
      about={
        <>
          One snapshot of every table. Try one with <code>npx durasync backup verify NAME</code>, put it back
          with <code>npx durasync backup restore NAME --into URL</code>.
        </>
      }
    >
      <With loaded={backups}>
        {(data) =>
          data.length === 0 ? (
            <Empty title="There is no backup yet">
              The first one is made tonight; “Back up now” makes one at once.
            </Empty>
          ) : (
            <BackupTable backups={data} />
          )
        }
      </With>
    </Page>
  );
}

async function start(): Promise<string> {
  const { started } = await send<{ started: boolean }>('POST', '/api/backups');
  return started
    ? 'The backup is being made; it is listed when it is whole.'
    : 'A backup is being made already.';
}

function BackupTable({ backups }: { readonly backups: readonly Backup[] }) {
  return (
    <DataTable
      label="Backups"
      rows={backups}
      keyOf={({ location }) => location}
      columns={[
        {
          label: 'Backup',
          wide: true,
          cell: ({ name, location }) => (
            <div class="two-lines">
              <span class="strong">{name}</span>
              <span class="muted">{location}</span>
            </div>
          ),
        },
        { label: 'Made', cell: (backup) => <Ago at={backup.created_at} /> },
        { label: 'Rows', number: true, cell: (backup) => count(backup.rows) },
        { label: 'Size', number: true, cell: (backup) => bytes(backup.bytes) },
        {
          label: 'Verified',
          cell: ({ verified_at: at }) => (at === null ? <Badge>Not yet</Badge> : <Ago at={at} />),
        },
      ]}
    />
  );
}
