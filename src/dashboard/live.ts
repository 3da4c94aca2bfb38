import type { OpenRun } from './api-types.ts';
import { createStore } from './store.ts';

/** What the server says has changed. */
export type Topic = 'runs' | 'clients' | 'quarantine' | 'audit';

interface Live {
  readonly connection: 'connecting' | 'live' | 'lost';
  /** Runs that are under way. */
  readonly open: readonly OpenRun[];
  /** Grows with each change that the server tells of. */
  readonly versions: Readonly<Record<Topic, number>>;
}

const NOTHING: Live = {
  connection: 'connecting',
  open: [],
  versions: { runs: 0, clients: 0, quarantine: 0, audit: 0 },
};
const TOPICS = Object.keys(NOTHING.versions) as Topic[];

export const live = createStore<Live>(NOTHING);

const raise = (topics: readonly string[]): void =>
  live.set((now) => ({
    ...now,
    versions: Object.fromEntries(
      TOPICS.map((topic) => [topic, now.versions[topic] + (topics.includes(topic) ? 1 : 0)]),
    ) as Live['versions'],
  }));

/** Tells pages at once that something has changed here, before the server does. */
export const changedHere = (): void => raise(TOPICS);

/**
 * Listens to the server until it is ended. The browser connects again by itself; what may have been missed meanwhile
 * is then read again.
 */
export function listen(onRefused: () => void): () => void {
  const source = new EventSource('/api/events');
  let lost = false;
  source.addEventListener('open', () => {
    live.set((now) => ({ ...now, connection: 'live' }));
    if (lost) changedHere();
    lost = false;
  });
  source.addEventListener('error', () => {
    lost = true;
    live.set((now) => ({ ...now, connection: 'lost' }));
    if (source.readyState === EventSource.CLOSED) onRefused();
  });
  source.addEventListener('progress', ({ data }: MessageEvent<string>) => {
    live.set((now) => ({ ...now, open: JSON.parse(data) as OpenRun[] }));
  });
  source.addEventListener('changed', ({ data }: MessageEvent<string>) => raise(JSON.parse(data) as string[]));
  return () => {
    source.close();
    live.set(NOTHING);
  };
}
