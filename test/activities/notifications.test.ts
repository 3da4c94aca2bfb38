import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import { type Message, raiseCause, resolveCause, tell } from '../../src/notify/causes.ts';
import type { Channel } from '../../src/notify/channel.ts';
import { channelsOf } from '../../src/notify/channels.ts';
import { deliverDue } from '../../src/notify/deliver-due.ts';
import { createTestDatabase } from '../support/engines.ts';
import { startFakeMailbox } from '../support/fake-mailbox.ts';
import { startFakeSlack } from '../support/fake-slack.ts';

const { db, pool } = await createTestDatabase();
const slack = await startFakeSlack();
const mailbox = await startFakeMailbox();
const http = createAgent();
const written: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void written.push(line) });

const SLACK = channelsOf({ SLACK_WEBHOOK: slack.webhook }, http);
const EMAIL = channelsOf({ ALERT_EMAIL: 'ops@example.com', SMTP_URL: mailbox.smtpUrl }, http);

const deliver = (channels: readonly Channel[], signal = new AbortController().signal) =>
  deliverDue({ db, channels, log, signal, firstWaitMs: 60_000 });

const message = (title: string): Message => ({ title, body: `${title}, in full` });
const raise = (cause: string, title: string, parts?: string[]) =>
  db.transaction().execute((tx) => raiseCause(tx, { cause, kind: 'failed', parts, ...message(title) }));
const resolve = (cause: string, told: Message | null = message(`${cause} is over`)) =>
  db.transaction().execute((tx) => resolveCause(tx, cause, told));

const titles = async (): Promise<unknown[]> =>
  (await pool.query('SELECT event, title FROM durasync.notifications ORDER BY id')).rows.map(
    ({ event, title }) => `${event}: ${title}`,
  );
const deliveries = async (): Promise<Record<string, unknown>[]> =>
  (
    await pool.query(`SELECT channel, status, attempts, error_message AS error,
      round(extract(epoch FROM due_at - clock_timestamp()))::int AS wait
      FROM durasync.notification_deliveries ORDER BY notification_id, channel`)
  ).rows;
const makeDue = () => pool.query('UPDATE durasync.notification_deliveries SET due_at = now()');

beforeEach(async () => {
  await pool.query('TRUNCATE durasync.notifications, durasync.open_causes CASCADE');
  for (const list of [slack.texts, slack.answers, mailbox.mails, mailbox.answers, written]) list.length = 0;
});

describe('a cause', () => {
  test('is told once while it lasts, again when another part joins, and once when it is over', async () => {
    expect(await raise('run:a', 'a failed', ['x'])).toBe(true);
    expect(await raise('run:a', 'a failed again', ['x'])).toBe(false);
    expect(await raise('run:a', 'y failed too', ['x', 'y'])).toBe(true);
    expect(await raise('run:a', 'x is well', ['y'])).toBe(false);
    expect(await raise('run:a', 'x again', ['y', 'x'])).toBe(true);
    expect(await resolve('run:a')).toBe(true);
    expect(await resolve('run:a')).toBe(false);
    expect(await raise('run:a', 'a new one', ['x'])).toBe(true);
    expect(await titles()).toEqual([
      'raised: a failed',
      'changed: y failed too',
      'changed: x again',
      'resolved: run:a is over',
      'raised: a new one',
    ]);
  });

  test('is told once when several find it at the same time', async () => {
    const raised = await Promise.all(Array.from({ length: 8 }, () => raise('run:a', 'a failed', ['x'])));
    expect(raised.filter(Boolean)).toHaveLength(1);
    const resolved = await Promise.all(Array.from({ length: 8 }, () => resolve('run:a')));
    expect(resolved.filter(Boolean)).toHaveLength(1);
    expect(await titles()).toHaveLength(2);
  });

  test('is not told when what went wrong is rolled back', async () => {
    const failing = db.transaction().execute(async (tx) => {
      await raiseCause(tx, { cause: 'run:a', kind: 'failed', ...message('a failed') });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await titles()).toEqual([]);
    expect(await raise('run:a', 'a failed')).toBe(true);
  });

  test('can end in silence', async () => {
    await raise('run:a', 'a failed');
    expect(await resolve('run:a', null)).toBe(false);
    expect(await titles()).toEqual(['raised: a failed']);
  });
});

describe('delivery', () => {
  test('goes once through every channel, and a repeat sends nothing again', async () => {
    await raise('run:a', 'a <!channel> failed & stopped');
    expect(await deliver([...SLACK, ...EMAIL])).toEqual({ sent: 2, failed: 0, nextInMs: null });
    expect(await deliver([...SLACK, ...EMAIL])).toEqual({ sent: 0, failed: 0, nextInMs: null });
    expect(slack.texts).toEqual([
      '*a &lt;!channel&gt; failed &amp; stopped*\na &lt;!channel&gt; failed &amp; stopped, in full',
    ]);
    expect(mailbox.mails).toHaveLength(1);
    expect(mailbox.mails[0]).toMatch(/^Subject: \[Durasync\] a <!channel> failed & stopped\r$/m);
    expect(mailbox.mails[0]).toMatch(/^From: robot@example\.com\r$/m);
    expect(mailbox.mails[0]).toMatch(/^To: ops@example\.com\r$/m);
    expect(mailbox.mails[0]).toMatch(/^Message-ID: <notification-\d+-\d+@durasync>\r$/m);
  });

  test('by several workers at once sends each notification once', async () => {
    for (let n = 0; n < 6; n += 1) await raise(`run:${n}`, `${n} failed`);
    const delivered = await Promise.all(Array.from({ length: 5 }, () => deliver(SLACK)));
    expect(delivered.reduce((sum, { sent }) => sum + sent, 0)).toBe(6);
    expect(slack.texts).toHaveLength(6);
  });

  test('is made again when its worker died before it noted what it sent', async () => {
    await raise('run:a', 'a failed');
    const dying = new AbortController();
    const [inner] = SLACK;
    const dies: Channel = {
      name: 'slack',
      send: async (outgoing, signal) => {
        await inner?.send(outgoing, signal);
        dying.abort(new Error('killed'));
        throw dying.signal.reason;
      },
    };
    await expect(deliver([dies], dying.signal)).rejects.toThrow('killed');
    expect(await deliver(SLACK)).toMatchObject({ sent: 0, nextInMs: expect.any(Number) });
    await makeDue();
    expect(await deliver(SLACK)).toMatchObject({ sent: 1, nextInMs: null });
    expect(slack.texts).toHaveLength(2);
  });

  test('of what is over waits for what was wrong', async () => {
    await raise('run:a', 'a failed');
    slack.answers.push({ status: 503 });
    await deliver(SLACK);
    await resolve('run:a');
    await raise('run:b', 'b failed');
    expect(await deliver(SLACK)).toMatchObject({ sent: 1 });
    const { nextInMs } = await deliver(SLACK);
    expect(nextInMs).toBeGreaterThan(50_000);
    await makeDue();
    expect(await deliver(SLACK)).toMatchObject({ sent: 2, nextInMs: null });
    expect(slack.texts.map((text) => text.split('\n')[0])).toEqual([
      '*a failed*',
      '*b failed*',
      '*a failed*',
      '*run:a is over*',
    ]);
  });

  test('without a channel is none, and what is a day old is not sent later', async () => {
    await db.transaction().execute((tx) => tell(tx, { cause: 'c', kind: 'completed', ...message('old') }));
    await pool.query(`UPDATE durasync.notifications SET created_at = now() - interval '25 hours'`);
    await raise('run:a', 'new');
    expect(await deliver(SLACK)).toMatchObject({ sent: 1 });
    await raise('run:b', 'nobody listens');
    expect(await deliver([])).toEqual({ sent: 0, failed: 0, nextInMs: null });
    expect(await deliver(SLACK)).toMatchObject({ sent: 0 });
    expect(slack.texts).toHaveLength(1);
  });
});

describe('what is not taken', () => {
  test.each([
    [{ status: 500 }, 60],
    [{ status: 503 }, 60],
    [{ status: 429, headers: { 'retry-after': '120' } }, 120],
    [{ status: 429, headers: { 'retry-after': 'soon' } }, 60],
  ])('Slack %j is tried again after %d s', async (answer, wait) => {
    await raise('run:a', 'a failed');
    slack.answers.push(answer);
    expect(await deliver(SLACK)).toMatchObject({ sent: 0, failed: 0 });
    expect(await deliveries()).toMatchObject([{ status: 'pending', attempts: 1, wait }]);
    await makeDue();
    expect(await deliver(SLACK)).toMatchObject({ sent: 1, nextInMs: null });
    expect(await deliveries()).toMatchObject([{ status: 'sent', attempts: 2, error: null }]);
  });

  test.each([400, 403, 404, 410])('Slack %d is refused for good', async (status) => {
    await raise('run:a', 'a failed');
    slack.answers.push({ status, text: status === 404 ? `no such ${slack.webhook}` : 'no_service' });
    expect(await deliver(SLACK)).toEqual({ sent: 0, failed: 1, nextInMs: null });
    const error = status === 404 ? 'Slack answered 404.' : `Slack answered ${status}: no_service.`;
    expect(await deliveries()).toMatchObject([{ status: 'failed', attempts: 1, error }]);
  });

  test('mail answered 451 is tried again, 550 is not', async () => {
    await raise('run:a', 'a failed');
    mailbox.answers.push('451 try later', '450 still busy');
    expect(await deliver(EMAIL)).toMatchObject({ sent: 0, failed: 0 });
    await makeDue();
    await deliver(EMAIL);
    expect(await deliveries()).toMatchObject([
      { status: 'pending', attempts: 2, wait: 120, error: expect.stringContaining('450 still busy') },
    ]);
    await makeDue();
    expect(await deliver(EMAIL)).toMatchObject({ sent: 1 });
    await raise('run:b', 'b failed');
    mailbox.answers.push('550 no such user');
    expect(await deliver(EMAIL)).toEqual({ sent: 0, failed: 1, nextInMs: null });
    expect(mailbox.mails).toHaveLength(1);
  });

  test('an address that refuses does not keep the others waiting', async () => {
    await raise('run:a', 'a failed');
    mailbox.answers.push('550 no such user');
    const both = channelsOf(
      { ALERT_EMAIL: 'gone@example.com, ops@example.com', SMTP_URL: mailbox.smtpUrl },
      http,
    );
    expect(await deliver(both)).toMatchObject({ sent: 1, failed: 1 });
    expect(mailbox.mails[0]).toContain('To: ops@example.com');
  });

  test('a server that is not there is tried again, up to a day', async () => {
    await raise('run:a', 'a failed');
    const gone = channelsOf(
      { SLACK_WEBHOOK: 'http://127.0.0.1:9/x', ALERT_EMAIL: 'a@b.c', SMTP_URL: 'smtp://127.0.0.1:9' },
      http,
    );
    expect(await deliver(gone)).toMatchObject({ sent: 0, failed: 0 });
    await makeDue();
    await pool.query(`UPDATE durasync.notifications SET created_at = now() - interval '25 hours'`);
    expect(await deliver(gone)).toEqual({ sent: 0, failed: 2, nextInMs: null });
    expect(await deliveries()).toMatchObject([
      { error: 'The mail server did not take it (ESOCKET).' },
      { error: 'Slack could not be reached (ECONNREFUSED).' },
    ]);
  });

  test('no secret is in the log or in the database', async () => {
    await raise('run:a', 'a failed');
    slack.answers.push({ status: 403, text: slack.webhook });
    const wrong = mailbox.smtpUrl.replace(mailbox.password, 'wr0ng-secret');
    await deliver([...SLACK, ...channelsOf({ ALERT_EMAIL: 'a@b.c', SMTP_URL: wrong }, http)]);
    const rows = await pool.query(
      'SELECT n::text, d::text FROM durasync.notifications n JOIN durasync.notification_deliveries d ON true',
    );
    const everything = JSON.stringify([rows.rows, written]);
    expect(await deliveries()).toMatchObject([
      { channel: 'email:a@b.c', status: 'failed', error: expect.stringContaining('***') },
      { channel: 'slack', status: 'failed' },
    ]);
    expect(written).toHaveLength(2);
    for (const secret of [slack.secret, mailbox.password, 'wr0ng-secret'])
      expect(everything).not.toContain(secret);
  });
});
