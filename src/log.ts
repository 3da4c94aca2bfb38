import { type DestinationStream, destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export interface LogOptions {
  readonly level: string;
  /** `pretty` for a person at a terminal, `json` for everything else. */
  readonly form: 'pretty' | 'json';
}

/** Paths that may hold a secret, wherever they appear one level deep. */
const SECRET_PATHS = ['password', 'token', 'authorization', 'credentials', 'databaseUrl', 'apiKey', 'url'];

/** The log of one process, written to standard error, so that standard output stays free for results. */
export function createLog({ level, form }: LogOptions): Logger {
  const stream: DestinationStream =
    form === 'pretty'
      ? pretty({ destination: 2, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
      : destination(2);
  return pino(
    {
      level,
      redact: { paths: [...SECRET_PATHS, ...SECRET_PATHS.map((path) => `*.${path}`)], censor: '***' },
    },
    stream,
  );
}
