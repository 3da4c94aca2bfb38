import { createRoute, z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { readActivity } from '../../db/activity.ts';
import { type Api, newRouter } from '../api.ts';
import { identify, needs } from '../authenticate.ts';
import { createEventHub, type LiveEvent } from '../event-hub.ts';
import { COMMON_PROBLEMS, ProblemError } from '../problems.ts';

/** Open streams of this process. */
const STREAMS_MAX = 200;
/** Shorter than what proxies take for silence; also how soon a revoked token stops seeing. */
const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 2_000;

const events = createRoute({
  method: 'get',
  path: '/api/events',
  tags: ['events'],
  summary: 'What changes, as server-sent events',
  description:
    'Event `progress`: the runs that are under way, each with its tables. Event `changed`: a list of what has to be ' +
    'read again (runs, clients, quarantine, audit). At most one of each a second, the newest only.',
  ...needs('viewer'),
  responses: {
    200: {
      description: 'A stream that does not end by itself.',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    ...COMMON_PROBLEMS,
  },
});

/** Tells browsers what changes. All of a process share one look at the database. */
export function eventRoutes(api: Api) {
  const hub = createEventHub(() => readActivity(api.session.database.db));
  let open = 0;
  return newRouter().openapi(events, (c) => {
    if (open >= STREAMS_MAX) {
      throw new ProblemError('unavailable', `More than ${STREAMS_MAX} pages are open. Close some of them.`);
    }
    open += 1;
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (stream) => {
      const waiting = createMailbox();
      const leave = hub.subscribe(waiting.put);
      stream.onAbort(waiting.close);
      try {
        await stream.writeSSE({ event: 'hello', data: '', retry: RECONNECT_MS });
        while (!stream.aborted) {
          const found = await waiting.take(HEARTBEAT_MS);
          if (found.length === 0) {
            await identify(api, c);
            await stream.write(': still here\n\n');
          }
          for (const { event, data } of found) await stream.writeSSE({ event, data: JSON.stringify(data) });
        }
      } catch {
        // The login has ended, or the browser has gone: it asks again, and is told.
      } finally {
        leave();
        open -= 1;
      }
    });
  });
}

/** Keeps what a slow reader has not taken yet: the newest progress, and all that has changed since. */
function createMailbox() {
  let progress: Extract<LiveEvent, { event: 'progress' }> | undefined;
  const changed = new Set<string>();
  let wake: () => void = () => undefined;
  return {
    put: (event: LiveEvent): void => {
      if (event.event === 'progress') progress = event;
      else for (const key of event.data) changed.add(key);
      wake();
    },
    close: (): void => wake(),
    /** Everything there is; waits for something, but not longer than this. */
    async take(timeoutMs: number): Promise<LiveEvent[]> {
      if (!progress && changed.size === 0) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, timeoutMs);
        });
        clearTimeout(timer);
      }
      const found: LiveEvent[] = progress ? [progress] : [];
      if (changed.size > 0) found.push({ event: 'changed', data: [...changed] });
      progress = undefined;
      changed.clear();
      return found;
    },
  };
}
