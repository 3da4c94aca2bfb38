import { type DestinationStream, destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export interface LogOptions {
  readonly level: string;
  /** `pretty` for a person at a terminal, `json` for everything else. */
  readonly form: 'pretty' | 'json';
  /** Where it is written; standard error by default, so that standard output stays free for results. */
  readonly file?: string;
  /** Fields of every line, asked when it is written: those of the step that writes it. */
  readonly fields?: () => Readonly<Record<string, unknown>>;
}

/** `LOG_FORMAT`, else pretty where a person reads along. */
export const logForm = (wanted: LogOptions['form'] | 'auto'): LogOptions['form'] => {
  if (wanted !== 'auto') return wanted;
  return process.stderr.isTTY ? 'pretty' : 'json';
};

/** Paths that may hold a secret, wherever they appear one level deep. */
const SECRET_PATHS = ['password', 'token', 'authorization', 'credentials', 'databaseUrl', 'apiKey', 'url'];

/** The log of one process. */
export function createLog({ level, form, file, fields }: LogOptions): Logger {
  const stream: DestinationStream =
    form === 'pretty'
      ? pretty({ destination: file ?? 2, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
      : destination({ dest: file ?? 2, mode: 0o600 });
  return pino(
    {
      level,
      mixin: fields && (() => ({ ...fields() })),
      redact: { paths: [...SECRET_PATHS, ...SECRET_PATHS.map((path) => `*.${path}`)], censor: '***' },
    },
    stream,
  );
}
