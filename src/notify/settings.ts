import { z } from 'zod';
import { httpUrl } from '../settings.ts';

const ADDRESS = /^[^\s@<>,]+@[^\s@<>,]+$/;
const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');

/** The variables about notifications. */
export const notifySettings = z.object({
  SLACK_WEBHOOK: httpUrl(),
  ALERT_EMAIL: z
    .string()
    .transform(listOf)
    .refine((addresses) => addresses.every((address) => ADDRESS.test(address)), {
      message: 'must be an email address, or several with commas between them',
    })
    .optional(),
  ALERT_EMAIL_FROM: z.string().regex(ADDRESS, { message: 'must be an email address' }).optional(),
  SMTP_URL: z
    .string()
    .refine((value) => URL.canParse(value) && /^smtps?:$/.test(new URL(value).protocol), {
      message: 'must begin with smtp:// or smtps://, as in smtp://user:password@mail.example.com:587',
    })
    .optional(),
  NOTIFY_COMPLETED: z.string().transform(listOf).default([]),
});

export type NotifySettings = Readonly<z.infer<typeof notifySettings>>;

/** What is missing for email, or undefined. */
export const missingForEmail = ({ ALERT_EMAIL, SMTP_URL }: NotifySettings): string | undefined =>
  ALERT_EMAIL && !SMTP_URL
    ? 'SMTP_URL is not set, but ALERT_EMAIL is: set it to the mail server that notifications go through, such as ' +
      'smtp://user:password@mail.example.com:587'
    : undefined;
