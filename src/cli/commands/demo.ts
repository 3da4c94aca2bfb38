import { findTargets } from '../../installation/session.ts';
import { modeOf, realSettings, STORES } from '../../installation/mode.ts';
import { syncs } from '../../syncs/index.ts';
import { commandContext } from '../context.ts';
import { printLine } from '../output.ts';

/** Says what is demo here, and which variables make it real. */
export async function demo(): Promise<void> {
  const { config, home, env } = await commandContext();
  const targets = await findTargets(config, home, env);
  const mode = targets?.mode ?? modeOf(config, syncs, env);
  if (mode === 'real') {
    const names = realSettings(config, syncs, env).join(', ') || 'DURASYNC_DEMO=off';
    printLine(`This is not demo mode, because of: ${names}. No demo row can be in its database.`);
    return;
  }
  printLine(
    [
      `Demo mode: the sources are a server on this machine that makes up exports of the size of real ones.`,
      `Its rows are in a database (${STORES.demo.database}) and a Temporal namespace (${STORES.demo.namespace}) of their own.`,
      '',
      'To go real, set the address of your first source in .env and start again, for example:',
      ...syncs.flatMap(({ title, tables: [first] }) =>
        !first || 'open' in first.source ? [] : [`  ${first.source.setting}=https://…   (${title})`],
      ),
      'The shops of clients need no setting: start with DURASYNC_DEMO=off, then: npx durasync clients add --help',
      '',
      'DATABASE_URL and TEMPORAL_ADDRESS replace the embedded engines. See .env.example for every variable.',
    ].join('\n'),
  );
}
