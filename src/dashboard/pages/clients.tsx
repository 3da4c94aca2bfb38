import { useState } from 'preact/hooks';
import { query } from '../api.ts';
import type { Client } from '../api-types.ts';
import { ClientActions, clientState } from '../components/client-actions.tsx';
import { Empty, Page, With } from '../components/page.tsx';
import { Status } from '../components/status.tsx';
import { DataTable } from '../components/table.tsx';
import { Ago } from '../components/time.tsx';
import { duration } from '../format.ts';
import { Link } from '../router.tsx';
import { useApi } from '../use-api.ts';

const AT_ONCE = 200;
const MOST = 1_000;

/** Clients with the state of their shops. */
export function Clients() {
  const [limit, setLimit] = useState(AT_ONCE);
  const [wanted, setWanted] = useState('');
  const clients = useApi('/api/clients', query('/api/clients', { limit }), ['clients']);
  const search = wanted.trim().toLowerCase();
  const matches = ({ client_id: id, name }: Client): boolean =>
    `${id} ${name}`.toLowerCase().includes(search);
  return (
    <Page title="Clients">
      <With loaded={clients}>
        {(data) =>
          data.length === 0 ? (
            <Empty title="No clients yet">
              Add one:{' '}
              <code>
                npx durasync clients add --id acme --platform shopify --connection main --credentials-file F
              </code>
            </Empty>
          ) : (
            <>
              {data.length > 5 && (
                <label class="field inline search">
                  <span>Find</span>
                  <input
                    type="search"
                    value={wanted}
                    onInput={(event) => setWanted(event.currentTarget.value)}
                  />
                </label>
              )}
              <ClientTable clients={data.filter(matches)} />
              {data.length === limit && limit < MOST && (
                <button type="button" class="button plain more-button" onClick={() => setLimit(MOST)}>
                  Show more
                </button>
              )}
            </>
          )
        }
      </With>
    </Page>
  );
}

const earliest = (times: readonly (string | null)[]): string | undefined =>
  times.flatMap((time) => time ?? []).sort()[0];

function ClientTable({ clients }: { readonly clients: readonly Client[] }) {
  return (
    <DataTable
      label="Clients"
      rows={clients}
      keyOf={(client) => client.client_id}
      below={({ connections }) => {
        const said = connections.flatMap(
          (each) => (each.paused ? each.paused_reason : each.error_message) ?? [],
        );
        return said.length > 0 && <p class="row-message">{[...new Set(said)].join(' · ')}</p>;
      }}
      columns={[
        {
          label: 'Client',
          wide: true,
          cell: ({ client_id: id, name }) => (
            <div class="two-lines">
              <Link to={`/clients/${encodeURIComponent(id)}`} class="strong">
                {name}
              </Link>
              <span class="muted">{id}</span>
            </div>
          ),
        },
        {
          label: 'Shops',
          cell: ({ connections }) => connections.map((each) => each.platform_type).join(', ') || 'none',
        },
        { label: 'State', cell: (client) => <Status status={clientState(client)} /> },
        {
          label: 'Every',
          number: true,
          cell: ({ connections }) =>
            [...new Set(connections.map((each) => duration(each.sync_frequency_hours * 3_600)))].join(', '),
        },
        {
          label: 'Last sync',
          cell: ({ connections }) => {
            const last = connections
              .flatMap((each) => each.last_sync_at ?? [])
              .sort()
              .at(-1);
            return last ? <Ago at={last} /> : <span class="muted">never</span>;
          },
        },
        {
          label: 'Next',
          cell: (client) => {
            const next = earliest(client.connections.map((each) => each.next_sync_at));
            return next && client.active && clientState(client) !== 'paused' ? <Ago at={next} /> : '–';
          },
        },
        { label: 'Change', actions: true, cell: (client) => <ClientActions client={client} /> },
      ]}
    />
  );
}
