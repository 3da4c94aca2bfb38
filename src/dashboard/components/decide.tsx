import { at, send } from '../api.ts';
import type { RunDetail } from '../api-types.ts';
import { capital, plural } from '../format.ts';
import { useMay } from '../session.ts';
import { Action } from './action.tsx';
import { StartButtons } from './run-actions.tsx';
import { Undo } from './undo.tsx';

/** What can be done about a run in its present state. */
export function Decide({ run }: { readonly run: RunDetail }) {
  const may = useMay('operator');
  if (!may) return run.status === 'held' ? <p class="muted">An operator decides about this run.</p> : null;
  if (run.status === 'held') return <HeldActions run={run} />;
  if (run.status !== 'running') {
    return (
      <>
        <Undo run={run} />
        <StartButtons sync={{ name: run.sync, off: null }} />
      </>
    );
  }
  return (
    <Action
      label="Cancel"
      look="danger"
      ask={{
        title: 'Cancel this run?',
        text: 'It stops after the step it is in. Tables that are merged already stay merged.',
        reason: 'optional',
      }}
      act={(reason) => decide(run.run_id, 'cancel', reason)}
    />
  );
}

async function decide(id: string, verb: 'approve' | 'reject' | 'cancel', reason?: string): Promise<string> {
  await send('POST', `${at('/api/runs/$', id)}/${verb}`, reason === undefined ? {} : { reason });
  switch (verb) {
    case 'approve':
      return 'Approved. What was shown is being merged.';
    case 'reject':
      return 'Rejected. The held tables stay as they are.';
    case 'cancel':
      return 'Asked to stop.';
  }
}

function HeldActions({ run }: { readonly run: RunDetail }) {
  const held = run.reviews.filter(({ reason }) => reason !== null);
  const sum = (pick: (review: RunDetail['reviews'][number]) => number): number =>
    held.reduce((total, review) => total + pick(review), 0);
  const effect = [
    plural(
      sum((review) => review.inserted),
      'new row',
    ),
    plural(
      sum((review) => review.updated),
      'changed row',
    ),
    `${plural(
      sum((review) => review.missing),
      'row',
    )} to the archive`,
  ].join(', ');
  const tables = held.map(({ table }) => table).join(', ');
  return (
    <>
      <Action
        label="Reject"
        look="danger"
        ask={{
          title: `Reject the held part of this run?`,
          text: `${capital(tables)} will stay as they are. What the other tables merged stays.`,
          reason: 'optional',
        }}
        act={(reason) => decide(run.run_id, 'reject', reason)}
      />
      <Action
        label="Approve"
        look="primary"
        ask={{
          title: `Approve ${tables}?`,
          text: `Exactly what is shown here is merged: ${effect}.`,
          reason: 'optional',
        }}
        act={(reason) => decide(run.run_id, 'approve', reason)}
      />
    </>
  );
}
