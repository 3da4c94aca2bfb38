import { setTimeout as sleep } from 'node:timers/promises';
import type { Activity } from '../db/activity.ts';

/** What browsers are told: runs that are under way, and what has changed so that it has to be read again. */
export type LiveEvent =
  | { readonly event: 'progress'; readonly data: Activity['open'] }
  | { readonly event: 'changed'; readonly data: readonly string[] };

type Listener = (event: LiveEvent) => void;

export interface EventHub {
  /** Tells what is under way at once, then whatever changes. @returns ends it */
  subscribe(listener: Listener): () => void;
}

const POLL_MS = 1_000;
/** After a poll that failed, as when PostgreSQL restarts. */
const PAUSE_MS = 5_000;

/** Looks once a second what has changed, for all browsers together, and not at all while there is none. */
export function createEventHub(read: () => Promise<Activity>, pollMs = POLL_MS): EventHub {
  const listeners = new Set<Listener>();
  let last: Activity | undefined;
  let polling = false;

  const tell = (event: LiveEvent): void => {
    for (const listener of listeners) listener(event);
  };

  async function poll(): Promise<void> {
    const next = await read();
    const earlier = last;
    last = next;
    if (JSON.stringify(next.open) !== JSON.stringify(earlier?.open)) {
      tell({ event: 'progress', data: next.open });
    }
    if (!earlier) return;
    const changed = changedKeys(earlier.versions, next.versions);
    if (changed.length > 0) tell({ event: 'changed', data: changed });
  }

  async function keepPolling(): Promise<void> {
    polling = true;
    while (listeners.size > 0) {
      const answered = await poll().then(
        () => true,
        () => false,
      );
      await sleep(answered ? pollMs : PAUSE_MS);
    }
    polling = false;
    last = undefined;
  }

  return {
    subscribe: (listener) => {
      if (last) listener({ event: 'progress', data: last.open });
      listeners.add(listener);
      if (!polling) void keepPolling();
      return () => listeners.delete(listener);
    },
  };
}

const changedKeys = (earlier: Activity['versions'], next: Activity['versions']): string[] =>
  Object.entries(next).flatMap(([key, version]) =>
    earlier[key as keyof Activity['versions']] === version ? [] : [key],
  );
