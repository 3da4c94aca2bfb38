import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterAll } from 'vitest';

export interface FakeMailbox {
  readonly smtpUrl: string;
  readonly password: string;
  /** Mails as they arrived, with their headers. */
  readonly mails: string[];
  /** What it answers to the next recipients, such as '451 try later'; then it takes everything. */
  readonly answers: string[];
}

/** A real SMTP server that wants a user and a password; closed after the file's last test. */
export async function startFakeMailbox(): Promise<FakeMailbox> {
  const password = 'pass-W0rd';
  const mails: string[] = [];
  const answers: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    onAuth: (auth, _session, done) => {
      if (auth.password === password) return done(null, { user: auth.username });
      done(new Error(`wrong password ${auth.password}`));
    },
    onRcptTo: (_address, _session, done) => {
      const answer = answers.shift();
      if (answer === undefined) return done();
      done(Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) }));
    },
    onData: (stream, _session, done) => {
      let mail = '';
      stream.on('data', (chunk: Buffer) => (mail += chunk.toString()));
      stream.on('end', () => {
        mails.push(mail);
        done();
      });
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  afterAll(() => new Promise<void>((resolve) => server.close(resolve)));
  const { port } = server.server.address() as AddressInfo;
  return { smtpUrl: `smtp://robot%40example.com:${password}@127.0.0.1:${port}`, password, mails, answers };
}
