import { createLoginCode } from '../../db/sessions.ts';
import { ensureAdminToken } from '../../db/tokens.ts';
import type { Home } from '../../home/home.ts';
import type { Session } from '../../installation/session.ts';
import { UsageError, withSession } from '../context.ts';
import { printJson, printLine } from '../output.ts';

/** An address that logs a browser in once, within ten minutes, as the home's administrator. */
export async function loginLink(home: Home, session: Session, apiUrl: string): Promise<string> {
  const tokenHash = await ensureAdminToken(home, session.database.db);
  const code = await createLoginCode(session.database.db, tokenHash);
  // Behind '#' it stays in the browser: no server, proxy or log ever sees it in an address.
  return `${apiUrl}/login#code=${code}`;
}

/** Prints a new login link of the dashboard. */
export async function login(options: { readonly json?: true }): Promise<void> {
  await withSession(async (session, { home }) => {
    const { apiUrl } = session.targets;
    if (apiUrl === null) throw new UsageError('The dashboard does not run here. Start it with: npm start');
    const url = await loginLink(home, session, apiUrl);
    if (options.json) return printJson({ url });
    printLine(url);
    printLine('It works once, within 10 minutes.');
  });
}
