import type { Command } from '@commander-js/extra-typings';
import { runCommand } from './run-command.ts';

/** Adds the commands about leads, and about files that people upload. */
export function addRentalsCommands(program: Command<[], { debug?: true }>): void {
  program
    .command('import')
    .description('load a CSV or Excel file; shows the rows that are wrong and takes the others')
    .argument('<kind>', 'sales, users, walk-ins, loss-of-sale, operations or budgets')
    .argument('<file>')
    .option('--store <store>', 'the store of rows that name none; else the file name tells it')
    .option('--strict', 'refuse a file with any bad row')
    .option('--json')
    .action((kind, file, options, command) =>
      runCommand(command, async () => (await import('./commands/import.ts')).importFile(kind, file, options)),
    );
  program
    .command('sync-all')
    .description('run the rentals, then load the files of DURASYNC_IMPORT_DIR and move them to done/')
    .action((_options, command) =>
      runCommand(command, async () => (await import('./commands/sync-all.ts')).syncAll()),
    );
  program
    .command('leads')
    .description('leads of the rentals')
    .command('close')
    .description('move a lead to reports; no source brings it back')
    .argument('<id>', 'lead_id')
    .option('--json')
    .action((id, options, command) =>
      runCommand(command, async () => (await import('./commands/leads.ts')).close(id, options)),
    );
  program
    .command('dedupe')
    .description('show leads that have become one; changes nothing without --live')
    .option('--live', 'remove all but the oldest of each')
    .option('--json')
    .action((options, command) =>
      runCommand(command, async () => (await import('./commands/leads.ts')).dedupe(options)),
    );
  const verify = program
    .command('verify')
    .description('whether the leads and their runs are as they should be');
  verify
    .command('data')
    .description('leads by type: how many, closed, duplicates')
    .option('--json')
    .action((options, command) =>
      runCommand(command, async () => (await import('./commands/leads.ts')).verifyData(options)),
    );
  verify
    .command('sync')
    .description('the last run of each report, and locations that are behind')
    .option('--json')
    .action((options, command) =>
      runCommand(command, async () => (await import('./commands/leads.ts')).verifySync(options)),
    );
}
