import { useState } from 'preact/hooks';
import { ApiProblem, at, send } from '../api.ts';
import type { ClientDetail, Connection } from '../api-types.ts';
import { ClientActions, clientState } from '../components/client-actions.tsx';
import { Empty, Page, PageWith, Section } from '../components/page.tsx';
import { Badge, Status } from '../components/status.tsx';
import { DataTable } from '../components/table.tsx';
import { Ago } from '../components/time.tsx';
import { toast } from '../components/toasts.tsx';
import { capital, count, duration, shortId, who } from '../format.ts';
import { changedHere } from '../live.ts';
import { Link } from '../router.tsx';
import { useMay } from '../session.ts';
import { useApi } from '../use-api.ts';

/** One client: its shops, its data and its last runs. */
export function ClientPage({ id }: { readonly id: string }) {
  const client = useApi('/api/clients/$', at('/api/clients/$', id), ['clients', 'runs']);
  return (
    <PageWith title={id} loaded={client}>
      {(data) => <Shown client={data} />}
    </PageWith>
  );
}

function Shown({ client }: { readonly client: ClientDetail }) {
  const { client_id: id, name, connections, records, results, view_name: view } = client;
  return (
    <Page
      title={name}
      beside={<Status status={clientState(client)} />}
      actions={<ClientActions client={client} />}
      about={
        <>
          {id} · its data: <code>SELECT * FROM {view}</code>
        </>
      }
    >
      <Section title="Connections">
        {connections.length === 0 ? (
          <Empty title="No shop is connected">
            Add one: <code>npx durasync clients add --id {id} --platform shopify …</code>
          </Empty>
        ) : (
          connections.map((each) => (
            <ConnectionCard key={each.credential_id} client={client} connection={each} />
          ))
        )}
      </Section>
      {records.length > 0 && (
        <Section title="Records">
          <dl class="facts">
            {records.map(({ platform, data_type: type, records: number }) => (
              <div key={`${platform} ${type}`}>
                <dt>
                  {capital(type)} <span class="muted">{platform}</span>
                </dt>
                <dd>{count(number)}</dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
      <Section title="Last runs">
        {results.length === 0 ? (
          <Empty title="It has not synced yet">
            Its first sync comes by itself; “Sync now” starts it at once.
          </Empty>
        ) : (
          <Results results={results} />
        )}
      </Section>
    </Page>
  );
}

function Results({ results }: Pick<ClientDetail, 'results'>) {
  return (
    <DataTable
      label="Last runs"
      rows={results}
      keyOf={(result) => result.run_id}
      below={(result) => result.error_message && <p class="row-message">{result.error_message}</p>}
      columns={[
        {
          label: 'Run',
          cell: ({ run_id: run }) => (
            <Link to={`/runs/${run}`}>
              <code>{shortId(run)}</code>
            </Link>
          ),
        },
        { label: 'Shop', wide: true, cell: (result) => result.connection_name },
        { label: 'Result', cell: ({ success }) => <Status status={success ? 'completed' : 'failed'} /> },
        { label: 'Started', cell: (result) => <Ago at={result.started_at} /> },
        { label: 'Took', number: true, cell: (result) => duration(result.sync_duration_seconds) },
        { label: 'Fetched', number: true, cell: (result) => count(result.records_fetched) },
        { label: 'Stored', number: true, cell: (result) => count(result.records_stored) },
        { label: 'By', cell: (result) => who(result.sync_triggered_by) },
      ]}
    />
  );
}

interface ConnectionCardProps {
  readonly client: ClientDetail;
  readonly connection: Connection;
}

function ConnectionCard({ client, connection }: ConnectionCardProps) {
  const work = client.workflow?.find((each) => each.credential_id === connection.credential_id);
  const { paused, paused_reason: pausedReason, error_message: error } = connection;
  return (
    <article class="card">
      <div class="card-head">
        <h3>{connection.connection_name}</h3>
        <Status status={paused ? 'paused' : connection.status} />
        {work?.running && <Badge tone="busy">Syncing</Badge>}
        {work?.queued && <Badge>Queued</Badge>}
      </div>
      {(paused ? pausedReason : error) && <p class="row-message">{paused ? pausedReason : error}</p>}
      <dl class="facts">
        <div>
          <dt>Platform</dt>
          <dd>{capital(connection.platform_type)}</dd>
        </div>
        <div>
          <dt>Last sync</dt>
          <dd>{connection.last_sync_at ? <Ago at={connection.last_sync_at} /> : 'never'}</dd>
        </div>
        <div>
          <dt>Next</dt>
          <dd>{paused ? 'when resumed' : <Ago at={connection.next_sync_at} />}</dd>
        </div>
        <Frequency id={client.client_id} connection={connection} />
      </dl>
    </article>
  );
}

/** How often it syncs; an operator changes it in place. */
function Frequency({ id, connection }: { readonly id: string; readonly connection: Connection }) {
  const may = useMay('operator');
  const hours = connection.sync_frequency_hours;
  const [text, setText] = useState(String(hours));
  if (!may) {
    return (
      <div>
        <dt>Every</dt>
        <dd>{duration(hours * 3_600)}</dd>
      </div>
    );
  }
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const platform = connection.platform_type;
    try {
      await send('PUT', `${at('/api/clients/$', id)}/frequency`, { hours: Number(text), platform });
      toast(`Its ${platform} shop syncs every ${duration(Number(text) * 3_600)}.`, 'good');
      changedHere();
    } catch (error) {
      if (error instanceof ApiProblem) toast(error.message, 'bad');
    }
  };
  return (
    <div>
      <dt>Every</dt>
      <dd>
        <form class="frequency" onSubmit={(event) => void save(event)}>
          <label>
            <input
              type="number"
              min="0.01"
              step="any"
              required
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />{' '}
            h<span class="hidden"> between two syncs of {connection.connection_name}</span>
          </label>
          {Number(text) !== hours && (
            <button type="submit" class="button plain">
              Save
            </button>
          )}
        </form>
      </dd>
    </div>
  );
}
