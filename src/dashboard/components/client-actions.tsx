import { at, send } from '../api.ts';
import type { Client, RequestedSync } from '../api-types.ts';
import { useMay } from '../session.ts';
import { Action } from './action.tsx';

const WORST_FIRST = ['revoked', 'expired', 'error', 'pending', 'connected'] as const;

/** One word for all of a client's connections: the worst. */
export function clientState({ active, connections }: Pick<Client, 'active' | 'connections'>): string {
  if (!active) return 'removed';
  if (connections.length === 0) return 'no connection';
  if (connections.every(({ paused }) => paused)) return 'paused';
  return WORST_FIRST.find((status) => connections.some((each) => each.status === status)) ?? 'pending';
}

/** Lets a client sync now, or stops it for a while. */
export function ClientActions({
  client,
}: {
  readonly client: Pick<Client, 'client_id' | 'active' | 'connections'>;
}) {
  const may = useMay('operator');
  const { client_id: id, active, connections } = client;
  if (!may || !active || connections.length === 0) return null;
  const post = (verb: 'sync' | 'pause' | 'resume', body: object = {}) =>
    send<RequestedSync>('POST', `${at('/api/clients/$', id)}/${verb}`, body);
  const paused = connections.every((each) => each.paused);
  return (
    <div class="buttons">
      {paused ? (
        <Action
          label="Resume"
          about={id}
          act={async () => {
            await post('resume');
            return `${id} syncs again.`;
          }}
        />
      ) : (
        <>
          <Action
            label="Sync now"
            about={id}
            act={async () => {
              const { state } = await post('sync');
              return state === 'started'
                ? `${id} syncs now.`
                : `${id} syncs again after the run that is open.`;
            }}
          />
          <Action
            label="Pause"
            about={id}
            ask={{
              title: `Pause ${id}?`,
              text: 'It does not sync until somebody resumes it. A run that is open goes on.',
              reason: 'optional',
            }}
            act={async (reason) => {
              await post('pause', reason === undefined ? {} : { reason });
              return `${id} is paused.`;
            }}
          />
        </>
      )}
    </div>
  );
}
