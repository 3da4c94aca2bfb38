import { useEffect, useState } from 'preact/hooks';
import { at, query } from '../api.ts';
import type { RunDetail } from '../api-types.ts';
import { Decide } from '../components/decide.tsx';
import { OutsideLink } from '../components/icons.tsx';
import { Page, PageWith, Section, With } from '../components/page.tsx';
import { Progress } from '../components/progress.tsx';
import { QuarantineList } from '../components/quarantine-list.tsx';
import { Reviews } from '../components/reviews.tsx';
import { Status } from '../components/status.tsx';
import { Steps, TableCounts } from '../components/table-counts.tsx';
import { Ago, Elapsed, Moment } from '../components/time.tsx';
import { capital, count, duration, who, words } from '../format.ts';
import { live } from '../live.ts';
import { hasMoved, Link } from '../router.tsx';
import { useTemporalLink } from '../session.ts';
import { useStore } from '../store.ts';
import { useApi } from '../use-api.ts';

const QUARANTINE_SHOWN = 5;

/** How long a run that was just started may take to be there. */
const BEGINS_MS = 15_000;
const ASK_EVERY_MS = 1_000;

/** One run: what it did or is doing, what it would do, and what people can do about it. */
export function RunPage({ id }: { readonly id: string }) {
  const run = useApi('/api/runs/$', at('/api/runs/$', id), ['runs']);
  const [openedAt] = useState(() => Date.now());
  const { problem, reload } = run;
  const waits = problem?.status === 404 && hasMoved() && Date.now() - openedAt < BEGINS_MS;
  useEffect(() => {
    if (!waits) return undefined;
    const timer = setTimeout(reload, ASK_EVERY_MS);
    return () => clearTimeout(timer);
  }, [waits, problem]);
  if (waits) {
    return (
      <Page title="Run">
        <p class="loading" role="status">
          Waiting for the run to begin…
        </p>
      </Page>
    );
  }
  return (
    <PageWith title="Run" loaded={run}>
      {(data) => <Run run={data} />}
    </PageWith>
  );
}

function Run({ run }: { readonly run: RunDetail }) {
  const { run_id: id, sync, status, origin } = run;
  const kind = origin?.kind ?? 'sync';
  const open = useStore(live).open.find((each) => each.run_id === id);
  const temporal = useTemporalLink(run.workflow_id, id);
  const quarantined = run.tables.reduce((sum, table) => sum + table.quarantined, 0);
  return (
    <Page
      title={kind === 'sync' ? `${capital(sync)} run` : `${capital(sync)} ${kind}`}
      beside={<Status status={status} />}
      actions={<Decide run={run} />}
      about={
        <>
          <code class="id">{id}</code>
          {temporal && <OutsideLink href={temporal}>Temporal</OutsideLink>}
        </>
      }
    >
      {run.error_message && status !== 'held' && (
        <div class={status === 'failed' ? 'problem' : 'notice'}>
          <p class="lines">{run.error_message}</p>
        </div>
      )}
      <Facts run={run} />
      {status === 'running' && (
        <Section title="Progress">
          <Progress tables={open?.tables ?? []} />
        </Section>
      )}
      {run.reviews.length > 0 && <Reviews reviews={run.reviews} status={status} />}
      {run.tables.length > 0 && status !== 'running' && (
        <Section title="Tables">
          <TableCounts tables={run.tables} planned={status === 'planned'} />
        </Section>
      )}
      <Steps steps={[...run.enrich, ...run.derive]} notices={run.notices} />
      {quarantined > 0 && <Quarantined id={id} total={quarantined} />}
      {run.decisions.length > 0 && <Decisions decisions={run.decisions} />}
    </Page>
  );
}

function Facts({ run: { origin, ...run } }: { readonly run: RunDetail }) {
  const by = origin?.triggered_by ? ` by ${who(origin.triggered_by)}` : '';
  return (
    <dl class="facts">
      <div>
        <dt>Started</dt>
        <dd>
          <Moment at={run.start_time} />
        </dd>
      </div>
      <div>
        <dt>Took</dt>
        <dd>
          {run.status === 'running' ? <Elapsed since={run.start_time} /> : duration(run.duration_seconds)}
        </dd>
      </div>
      <div>
        <dt>Rows</dt>
        <dd>{count(run.total_rows_processed)}</dd>
      </div>
      <div>
        <dt>Started by</dt>
        <dd>{origin ? `${words(origin.trigger)}${by}` : 'hand'}</dd>
      </div>
      {origin?.window && (
        <div>
          <dt>Days</dt>
          <dd>
            {origin.window.from} to {origin.window.to}
          </dd>
        </div>
      )}
      {origin?.scope && (
        <div>
          <dt>For</dt>
          <dd>{origin.scope}</dd>
        </div>
      )}
    </dl>
  );
}

function Quarantined({ id, total }: { readonly id: string; readonly total: number }) {
  const address = query('/api/quarantine', { run_id: id, limit: QUARANTINE_SHOWN });
  const rows = useApi('/api/quarantine', address, ['quarantine']);
  return (
    <Section
      title="Quarantine"
      beside={
        <Link to={`/quarantine?run_id=${id}`}>
          {total > QUARANTINE_SHOWN ? `All ${count(total)} rows` : 'Open'}
        </Link>
      }
    >
      <With loaded={rows}>{(data) => <QuarantineList rows={data} />}</With>
    </Section>
  );
}

function Decisions({ decisions }: Pick<RunDetail, 'decisions'>) {
  return (
    <Section title="Decisions">
      <ol class="timeline">
        {decisions.map((decision) => (
          <li key={decision.at + decision.action}>
            <p>
              <strong>{who(decision.actor)}</strong> {words(decision.action)} <Ago at={decision.at} />
            </p>
            {decision.reason && <p class="muted">{decision.reason}</p>}
          </li>
        ))}
      </ol>
    </Section>
  );
}
