/** Schemas for environment variables, and the one function that reads them. */
import { Cron } from 'croner';
import { z } from 'zod';

/** A value that was refused at start: names each variable, what is wrong with it and what would be right. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

export const httpUrl = () =>
  z
    .string()
    .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
      message: 'must be a full address that begins with http:// or https://',
    })
    .optional();

export const wholeNumber = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, { message: `must be a whole number from ${min} to ${max}` })
    .transform(Number)
    .refine((value) => value >= min && value <= max, {
      message: `must be a whole number from ${min} to ${max}`,
    })
    .default(fallback);

export const yesOrNo = (fallback: boolean) =>
  z
    .string()
    .transform((value) => value.toLowerCase())
    .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], { message: 'must be true or false' }))
    .transform((value) => ['true', '1', 'yes', 'on'].includes(value))
    .default(fallback);

export const timeZone = (fallback: string) =>
  z
    .string()
    .refine(isTimeZone, { message: 'must be a time zone such as America/Los_Angeles or UTC' })
    .default(fallback);

/** Times as a cron text of five fields, single-spaced. */
export const cronText = (fallback: string) =>
  z
    .string()
    .transform((value) => value.trim().replaceAll(/\s+/g, ' '))
    .superRefine((value, context) => {
      const reason = whyCronRefused(value);
      if (reason === undefined) return;
      const message = `must be a cron text of five fields, as in '*/5 * * * *', but ${reason}`;
      context.addIssue({ code: 'custom', message });
    })
    .default(fallback);

/** The reading of a cron text that Temporal has, too. @throws Error for a text that croner can't read */
export const parseCron = (cron: string, zone: string): Cron =>
  new Cron(cron, { mode: '5-part', timezone: zone, domAndDow: true });

const NAMES = /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)\b/gi;

/** Why a single-spaced cron text can't be used, because Temporal would refuse it or read it otherwise; else undefined. */
export function whyCronRefused(cron: string): string | undefined {
  const fields = cron.split(' ').length;
  if (fields !== 5) return `it has ${fields} field${fields === 1 ? '' : 's'}`;
  const signs = /[^\d\s*,/-]/.exec(cron.replaceAll(NAMES, '0'));
  if (signs) return `it holds '${signs[0]}'`;
  if (/-sun\b/i.test(cron)) return `a range can end in 7, but not in SUN`;
  try {
    parseCron(cron, 'UTC');
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).replace(/^CronPattern: /, '');
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** True for variables whose value must not be repeated in a message. */
const holdsSecret = (name: string): boolean => /KEY|TOKEN|SECRET|PASSWORD|URL|WEBHOOK/.test(name);

/**
 * Reads the variables that a schema names; blank ones count as unset.
 *
 * @throws ConfigurationError with one line for each wrong variable
 */
export function readSettings<Schema extends z.ZodObject>(schema: Schema, env: Environment): z.infer<Schema> {
  const named = Object.keys(schema.shape).map((name) => [name, env[name]?.trim() || undefined] as const);
  const parsed = schema.safeParse(Object.fromEntries(named));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `${name}${holdsSecret(name) ? '' : ` is '${env[name]}': it`} ${issue.message}.`;
  });
  throw new ConfigurationError(lines.join('\n'));
}
