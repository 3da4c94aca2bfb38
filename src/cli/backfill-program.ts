import type { Command } from '@commander-js/extra-typings';
import { runCommand } from './run-command.ts';

/** Adds the commands about backfills. */
export function addBackfillCommands(program: Command<[], { debug?: true }>): void {
  const backfill = program
    .command('backfill')
    .description('run past windows of a sync that has windows of days');
  backfill
    .command('start', { isDefault: true })
    .description('a run for each window, at a lower priority than others; no watermark moves')
    .argument('<sync>')
    .requiredOption('--from <date>', 'first day, YYYY-MM-DD')
    .requiredOption('--to <date>', 'the day after the last one, YYYY-MM-DD')
    .option('--every <days>', 'how long a window is, such as 1d or 2w', '1d')
    .option('--concurrency <n>', 'windows at once; 4 when not given')
    .option('--no-wait', 'return as soon as it is started')
    .option('--json', 'print the result as JSON')
    .action((sync, options, command) =>
      runCommand(command, async () => (await import('./commands/backfill.ts')).backfill(sync, options)),
    );
  backfill
    .command('show')
    .description('how far it is, and which windows did not complete')
    .argument('<sync>')
    .option('--json', 'print it as JSON')
    .action((sync, options, command) =>
      runCommand(command, async () => (await import('./commands/backfill.ts')).showBackfill(sync, options)),
    );
  const changes = {
    pause: 'start no window until it is resumed; open ones end',
    resume: 'start windows again',
    cancel: 'stop the open windows and start no more',
  } as const;
  for (const change of ['pause', 'resume', 'cancel'] as const) {
    backfill
      .command(change)
      .description(changes[change])
      .argument('<sync>')
      .option('--reason <text>', 'shown with the backfill')
      .action((sync, options, command) =>
        runCommand(command, async () =>
          (await import('./commands/backfill.ts')).changeBackfillOf(change, sync, options),
        ),
      );
  }
}
