import { at, send } from '../api.ts';
import type { Schedule } from '../api-types.ts';
import { Action } from '../components/action.tsx';
import { Empty, Page, With } from '../components/page.tsx';
import { Status } from '../components/status.tsx';
import { DataTable } from '../components/table.tsx';
import { Ago, Moment } from '../components/time.tsx';
import { capital, plural } from '../format.ts';
import { go, Link } from '../router.tsx';
import { useMay } from '../session.ts';
import { useApi } from '../use-api.ts';

/** When what runs by itself, and stopping it for a while. */
export function Schedules() {
  const schedules = useApi('/api/schedules', '/api/schedules', ['runs', 'audit']);
  return (
    <Page title="Schedules" about="Times are shown in your own time zone; a schedule keeps its own.">
      <With loaded={schedules}>
        {(data) =>
          data.length === 0 ? (
            <Empty title="There are no schedules yet">
              Make them with <code>npx durasync schedules apply</code>.
            </Empty>
          ) : (
            <ScheduleTable schedules={data} />
          )
        }
      </With>
    </Page>
  );
}

export function ScheduleTable({ schedules }: { readonly schedules: readonly Schedule[] }) {
  const may = useMay('operator');
  return (
    <DataTable
      label="Schedules"
      rows={schedules}
      keyOf={({ id }) => id}
      below={({ paused, note }) => paused && note && <p class="row-message">{note}</p>}
      columns={[
        {
          label: 'Schedule',
          wide: true,
          cell: ({ id, spec }) => (
            <div class="two-lines">
              <span class="strong">{id}</span>
              <span class="muted">{spec}</span>
            </div>
          ),
        },
        {
          label: 'Sync',
          cell: ({ sync }) => (sync ? <Link to={`/syncs/${sync}`}>{capital(sync)}</Link> : 'All'),
        },
        {
          label: 'State',
          cell: ({ paused }) => <Status status={paused ? 'paused' : 'ok'}>{paused ? 'paused' : 'on'}</Status>,
        },
        {
          label: 'Next',
          cell: ({ paused, next_times: [next, ...later] }) =>
            next && !paused ? (
              <div class="two-lines">
                <Ago at={next} />
                <span class="muted" title={`then ${plural(later.length, 'more time')}`}>
                  <Moment at={next} />
                </span>
              </div>
            ) : (
              '–'
            ),
        },
        {
          label: 'Last',
          cell: ({ last_started_at: last }) => (last ? <Ago at={last} /> : <span class="muted">never</span>),
        },
        ...(may
          ? [
              {
                label: 'Change',
                actions: true as const,
                cell: (schedule: Schedule) => <Changes schedule={schedule} />,
              },
            ]
          : []),
      ]}
    />
  );
}

function Changes({ schedule: { id, paused } }: { readonly schedule: Schedule }) {
  const change = async (verb: 'pause' | 'resume', reason?: string): Promise<string> => {
    await send('POST', `${at('/api/schedules/$', id)}/${verb}`, reason === undefined ? {} : { reason });
    return verb === 'pause' ? `${id} is paused.` : `${id} runs again.`;
  };
  return (
    <div class="buttons">
      <Action
        label="Run now"
        about={id}
        act={async () => {
          const { outcome, run_id: run } = await send<Triggered>(
            'POST',
            `${at('/api/schedules/$', id)}/trigger`,
          );
          if (run !== null && outcome === 'started' && id !== 'sweep-runs') go('/runs');
          return outcome === 'already-running'
            ? `The earlier run of ${id} is still open.`
            : `${id} was started.`;
        }}
      />
      {paused ? (
        <Action label="Resume" about={id} act={() => change('resume')} />
      ) : (
        <Action
          label="Pause"
          about={id}
          ask={{
            title: `Pause ${id}?`,
            text: 'It starts no runs until somebody resumes it. A run that is open goes on.',
            reason: 'optional',
          }}
          act={(reason) => change('pause', reason)}
        />
      )}
    </div>
  );
}

interface Triggered {
  readonly outcome: 'started' | 'already-running' | 'requested';
  readonly run_id: string | null;
}
