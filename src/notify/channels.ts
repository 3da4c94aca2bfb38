import type { Dispatcher } from 'undici';
import { type Environment, readSettings } from '../settings.ts';
import type { Channel } from './channel.ts';
import { emailChannel } from './email.ts';
import { notifySettings } from './settings.ts';
import { slackChannel } from './slack.ts';

/** The ways to reach people that the environment names; none by default. @throws ConfigurationError */
export function channelsOf(env: Environment, http: Dispatcher): Channel[] {
  const { SLACK_WEBHOOK, ALERT_EMAIL = [], ALERT_EMAIL_FROM, SMTP_URL } = readSettings(notifySettings, env);
  const slack = SLACK_WEBHOOK ? [slackChannel(SLACK_WEBHOOK, http)] : [];
  const emails = SMTP_URL
    ? ALERT_EMAIL.map((to) => emailChannel({ smtpUrl: SMTP_URL, from: ALERT_EMAIL_FROM, to }))
    : [];
  return [...slack, ...emails];
}
