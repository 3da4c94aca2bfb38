import { type Dispatcher, request } from 'undici';
import { type Channel, DeliveryError, type Outgoing } from './channel.ts';

const TEXT_MAX = 3_000;
const TIMEOUTS = { headersTimeout: 10_000, bodyTimeout: 10_000 };
/** Answers under which a later attempt may be taken, besides those from 500 on. */
const PASSING = [408, 425, 429];

/** Slack's incoming webhook: it answers 200 and `ok`, or says in one word why not. Its address is the secret. */
export function slackChannel(webhook: string, http: Dispatcher): Channel {
  return {
    name: 'slack',
    async send(outgoing, signal) {
      const answer = await post(webhook, http, outgoing, signal);
      if (answer.status >= 200 && answer.status < 300) return;
      const { status, word, retryAfterMs } = answer;
      throw new DeliveryError(`Slack answered ${status}${word}.`, {
        passes: status >= 500 || PASSING.includes(status),
        retryAfterMs,
      });
    },
  };
}

async function post(webhook: string, http: Dispatcher, outgoing: Outgoing, signal: AbortSignal) {
  try {
    const { statusCode, headers, body } = await request(webhook, {
      dispatcher: http,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: textOf(outgoing) }),
      signal,
      ...TIMEOUTS,
    });
    // Only a word of Slack's own goes on: another server may repeat the address.
    const [word = ''] = /^[a-z_]{2,40}$/.exec((await body.text()).trim()) ?? [];
    const seconds = Number(headers['retry-after']);
    return {
      status: statusCode,
      word: word && `: ${word}`,
      retryAfterMs: seconds > 0 ? seconds * 1_000 : undefined,
    };
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new DeliveryError(`Slack could not be reached${code}.`, { passes: true });
  }
}

/** Nothing in a text is a mention or a link of ours. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function textOf({ title, body }: Outgoing): string {
  const text = `*${escaped(title)}*\n${escaped(body)}`;
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)} …` : text;
}
