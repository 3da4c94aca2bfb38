import { createTransport } from 'nodemailer';
import { type Channel, DeliveryError } from './channel.ts';

const WAIT_MS = 15_000;

interface EmailOptions {
  readonly smtpUrl: string;
  readonly from: string | undefined;
  readonly to: string;
}

/** Mail to one address. A repeat has the same Message-ID, so that most mailboxes show it once. */
export function emailChannel({ smtpUrl, from, to }: EmailOptions): Channel {
  const url = new URL(smtpUrl);
  const user = decodeURIComponent(url.username);
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: WAIT_MS,
    greetingTimeout: WAIT_MS,
    socketTimeout: WAIT_MS,
    // What is sent is text of ours: no file and no address is ever read for it.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    name: `email:${to}`,
    async send({ id, title, body, createdAt }) {
      try {
        await transport.sendMail({
          from: from ?? (user.includes('@') ? user : to),
          to,
          subject: `[Durasync] ${title}`,
          text: `${body}\n\n-- \nDurasync, ${createdAt.toISOString()}\n`,
          date: createdAt,
          messageId: `<notification-${id}-${createdAt.getTime()}@durasync>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
      } catch (error) {
        throw deliveryError(error, url);
      }
    },
  };
}

/** SMTP says by the first digit whether it passes: 4 does, 5 does not. Without a reply the network was in the way. */
function deliveryError(error: unknown, url: URL): DeliveryError {
  const { responseCode, response, code } = error as {
    responseCode?: number;
    response?: string;
    code?: string;
  };
  if (responseCode === undefined) {
    return new DeliveryError(`The mail server did not take it (${code ?? 'no reason given'}).`, {
      passes: code !== 'EMESSAGE' && code !== 'EAUTH',
    });
  }
  const reply = withoutSecrets(response ?? String(responseCode), url);
  return new DeliveryError(`The mail server answered ${reply}`, { passes: responseCode < 500 });
}

const REPLY_MAX = 200;

/** A server may repeat what it was sent. */
function withoutSecrets(reply: string, { username, password }: URL): string {
  const plain = [username, password].map(decodeURIComponent);
  const secrets = [
    plain[1],
    Buffer.from(plain[1] ?? '').toString('base64'),
    Buffer.from(`\0${plain[0]}\0${plain[1]}`).toString('base64'),
  ].filter((secret): secret is string => secret !== undefined && secret !== '');
  const line = reply.replaceAll(/\s+/g, ' ').slice(0, REPLY_MAX);
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), line);
}
