import type { Command } from '@commander-js/extra-typings';
import { runCommand } from './run-command.ts';

/** Adds the commands about clients, and about the keys that seal their secrets. */
export function addClientCommands(program: Command<[], { debug?: true }>): void {
  const clients = program.command('clients').description('the syncs of each client with its own shops');
  clients
    .command('add')
    .description('add a client with a connection, or replace the secrets of one')
    .requiredOption('--id <id>', "1 to 128 letters, digits, '.', '_', ':' or '-'")
    .option('--name <name>', 'what people call it')
    .requiredOption('--platform <platform>', 'shopify or amazon')
    .requiredOption('--connection <name>', 'tells several connections to one platform apart')
    .requiredOption('--credentials-file <file>', 'JSON with the secrets; - for standard input')
    .option('--every <hours>', 'how often it syncs; fractions are allowed')
    .option('--json')
    .action((options, command) =>
      runCommand(command, async () => (await import('./commands/clients.ts')).add(options)),
    );
  clients
    .command('list')
    .option('--json')
    .action((options, command) =>
      runCommand(command, async () => (await import('./commands/clients.ts')).list(options)),
    );
  clients
    .command('show')
    .argument('<id>')
    .option('--json')
    .action((id, options, command) =>
      runCommand(command, async () => (await import('./commands/clients.ts')).show(id, options)),
    );
  clients
    .command('sync')
    .description('sync a client now, or those that are due with --all')
    .argument('[id]')
    .option('--platform <platform>', 'only connections to shopify or amazon')
    .option('--all', 'every client that is due')
    .option('--force', 'with --all: also those that are not due')
    .option('--no-wait', 'return as soon as the runs are started')
    .option('--json')
    .action((id, options, command) =>
      runCommand(command, async () => (await import('./commands/clients-sync.ts')).sync(id, options)),
    );
  clients
    .command('pause')
    .argument('<id>')
    .option('--reason <text>')
    .option('--json')
    .action((id, options, command) =>
      runCommand(command, async () => (await import('./commands/clients-change.ts')).pause(id, options)),
    );
  clients
    .command('resume')
    .argument('<id>')
    .option('--json')
    .action((id, options, command) =>
      runCommand(command, async () => (await import('./commands/clients-change.ts')).resume(id, options)),
    );
  clients
    .command('set-frequency')
    .description('how often a client syncs, counted from when it was last due')
    .argument('<id>')
    .argument('<hours>', 'fractions are allowed')
    .option('--platform <platform>', 'only connections to shopify or amazon')
    .option('--json')
    .action((id, hours, options, command) =>
      runCommand(command, async () =>
        (await import('./commands/clients-change.ts')).changeFrequency(id, hours, options),
      ),
    );
  clients
    .command('test')
    .description('ask the shops of a client whether they let us in')
    .argument('<id>')
    .option('--json')
    .action((id, options, command) =>
      runCommand(command, async () => (await import('./commands/clients-test.ts')).test(id, options)),
    );
  clients
    .command('remove')
    .description('end the syncs of a client; its data stays')
    .argument('<id>')
    .option('--purge', 'delete its data and secrets too')
    .option('--yes', 'really purge')
    .option('--json')
    .action((id, options, command) =>
      runCommand(command, async () => (await import('./commands/clients-change.ts')).remove(id, options)),
    );

  program
    .command('keys')
    .description('the keys that seal secrets in the database')
    .command('rotate')
    .description('seal every secret anew with the first key of DURASYNC_SECRET_KEYS')
    .option('--json')
    .action((options, command) =>
      runCommand(command, async () => (await import('./commands/keys.ts')).rotate(options)),
    );
}
