import { useRef } from 'preact/hooks';
import { at, send } from '../api.ts';
import type { RunDetail, StartedRun, UndoOffer } from '../api-types.ts';
import { cellText, count, plural } from '../format.ts';
import { go } from '../router.tsx';
import { useApi } from '../use-api.ts';
import { Action } from './action.tsx';
import { With } from './page.tsx';

/** Takes back what a run wrote, after showing what that is, or says why it can't be. */
export function Undo({ run }: { readonly run: RunDetail }) {
  const pause = useRef(false);
  const wrote = run.tables.some(
    (table) => table.inserted + table.updated + table.archived + table.restored > 0,
  );
  if (!wrote || !['completed', 'completed_with_errors', 'held', 'rejected', 'failed'].includes(run.status))
    return null;
  return (
    <Action
      label="Undo"
      look="danger"
      ask={{
        title: 'Undo this run?',
        text: <Offer id={run.run_id} onPause={(wanted) => (pause.current = wanted)} />,
        reason: 'optional',
      }}
      act={async (reason) => {
        const body = { ...(reason === undefined ? {} : { reason }), pause_schedule: pause.current };
        const started = await send<StartedRun>('POST', at('/api/runs/$/undo', run.run_id), body);
        go(`/runs/${started.run_id}`);
        return 'The run is being taken back.';
      }}
    />
  );
}

interface OfferProps {
  readonly id: string;
  readonly onPause: (wanted: boolean) => void;
}

function Offer({ id, onPause }: OfferProps) {
  const offer = useApi('/api/runs/$/undo', at('/api/runs/$/undo', id));
  return (
    <With loaded={offer}>
      {(data) =>
        data.refusal === null ? <Effect offer={data} onPause={onPause} /> : <Refusal offer={data} />
      }
    </With>
  );
}

function Effect({ offer, onPause }: { readonly offer: UndoOffer } & Pick<OfferProps, 'onPause'>) {
  const again = [...offer.schedules, ...(offer.client_id === null ? [] : [offer.client_id])];
  return (
    <>
      <ul class="effects">
        {offer.tables.map((table) => (
          <li key={table.table}>
            <span class="strong">{table.table}</span> {effectOf(table)}
          </li>
        ))}
        {offer.watermarks.length > 0 && (
          <li>{plural(offer.watermarks.length, 'cursor')} go back to where they were</li>
        )}
      </ul>
      {again.length > 0 && (
        <label class="check">
          <input type="checkbox" onChange={(event) => onPause(event.currentTarget.checked)} />
          <span>Pause {again.join(', ')}: the next run would apply the source again</span>
        </label>
      )}
    </>
  );
}

function effectOf(table: UndoOffer['tables'][number]): string {
  const parts: readonly (readonly [number, string])[] = [
    [table.removed, 'go'],
    [table.put_back, 'are again as they were'],
    [table.unarchived, 'come back from the archive'],
    [table.archived_again, 'return to the archive'],
  ];
  const said = parts.filter(([rows]) => rows > 0).map(([rows, what]) => `${count(rows)} ${what}`);
  return said.length > 0 ? said.join(', ') : 'stays as it is';
}

function Refusal({ offer }: { readonly offer: UndoOffer }) {
  return (
    <>
      <p class="strong">{offer.refusal}</p>
      <ul class="effects">
        {offer.conflicts.map((conflict) => (
          <li key={conflict.table + JSON.stringify(conflict.key)}>
            {conflict.table} {Object.values(conflict.key).map(cellText).join(' · ')}: {conflict.reason}
          </li>
        ))}
      </ul>
    </>
  );
}
