import { setTimeout as sleep } from 'node:timers/promises';

/** A process that can be watched and stopped. */
export interface Supervised {
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

export interface SuperviseOptions<T extends Supervised> {
  /** What people call it. */
  readonly name: string;
  start(): Promise<T>;
  /** Told when it died, and when it is back. */
  readonly say: (message: string) => void;
  /** Where its log is, for the message. */
  readonly logFile: string;
  /** It died too often; everything should stop with this message. */
  readonly onGivenUp: (message: string) => void;
}

export interface Supervisor<T> {
  /** The one that runs now, or ran last. */
  current(): T;
  /** Stops it and watches no more. Safe to repeat. */
  stop(): Promise<void>;
}

const RESTARTS_MAX = 5;
const RESTARTS_WINDOW_MS = 60_000;
const PAUSE_MS = 500;

/** Starts a process and starts it again when it dies, up to five times a minute. */
export async function supervise<T extends Supervised>(options: SuperviseOptions<T>): Promise<Supervisor<T>> {
  const { name, start, say, logFile, onGivenUp } = options;
  let running = await start();
  let stopping = false;
  const deaths: number[] = [];
  const watching = watch();
  return {
    current: () => running,
    stop: async () => {
      stopping = true;
      await running.stop();
      await watching;
    },
  };

  async function watch(): Promise<void> {
    for (;;) {
      await running.exited;
      if (stopping) return;
      deaths.push(Date.now());
      const recent = deaths.filter((at) => at > Date.now() - RESTARTS_WINDOW_MS).length;
      if (recent > RESTARTS_MAX) {
        onGivenUp(`${name} died ${recent} times within a minute. Its log says why: ${logFile}`);
        return;
      }
      say(`${name} has died; starting it again (${recent} of ${RESTARTS_MAX} times this minute)`);
      await sleep(PAUSE_MS * recent);
      if (stopping) return;
      try {
        running = await start();
        if (stopping) return await running.stop();
        say(`${name} is back`);
      } catch (error) {
        if (stopping) return;
        onGivenUp(
          `${name} could not be started again: ${error instanceof Error ? error.message : String(error)}`,
        );
        return;
      }
    }
  }
}
