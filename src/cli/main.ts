import { Command, Option } from '@commander-js/extra-typings';
import { RUN_STATUSES } from '../domain/run-result.ts';
import { addBackfillCommands } from './backfill-program.ts';
import { addBackupCommands } from './backup-program.ts';
import { addClientCommands } from './client-program.ts';
import { addRentalsCommands } from './rentals-program.ts';
import { runCommand } from './run-command.ts';
import { VERSION } from '../version.ts';

// A reader that goes away, as `| head` does, must not kill a process that has engines to stop.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const program = new Command('durasync')
  .description('Durable data syncs into PostgreSQL, orchestrated by Temporal')
  .version(VERSION)
  .option('--debug', 'show stack traces')
  .showHelpAfterError()
  .exitOverride();

const AS_JSON = 'print one JSON document';
const repeated = (value: string, earlier: string[]): string[] => [...earlier, value];

program
  .command('up')
  .description('start everything that is not configured, and stay up until Ctrl-C')
  .action((_options, command) => runCommand(command, async () => (await import('./commands/up.ts')).up()));

program
  .command('health')
  .description(
    'what is well and what is not: engines, freshness of every sync, disk, backups, decisions that wait',
  )
  .option('--json', AS_JSON)
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/health.ts')).health(options)),
  );

program
  .command('run')
  .description('start a run of a sync, show its progress and print the result')
  .argument('<sync>')
  .option('--table <table>', 'only this table; may be repeated', repeated, [])
  .option('--from <date>', 'first day of the window, YYYY-MM-DD')
  .option('--to <date>', 'the day after the last one, YYYY-MM-DD')
  .option('--days <n>', 'the last N days')
  .option('--full', 'everything, not only what changed')
  .option('--no-wait', 'return as soon as the run is started')
  .option('--wait-decision', 'when it is held, wait until somebody decides')
  .option('--json', 'print the result as JSON')
  .action((sync, options, command) =>
    runCommand(command, async () => (await import('./commands/run.ts')).run(sync, options)),
  );

program
  .command('plan')
  .description('show what a run would insert, update, archive and quarantine; merges nothing')
  .argument('<sync>')
  .option('--table <table>', 'only this table; may be repeated', repeated, [])
  .option('--json', 'print the plan as JSON')
  .action((sync, options, command) =>
    runCommand(command, async () => (await import('./commands/plan.ts')).plan(sync, options)),
  );

const runs = program.command('runs').description('the history of runs, and decisions about held ones');
// A command of its own, because options of `runs` itself would swallow those of `runs show`.
runs
  .command('list', { isDefault: true })
  .description('the newest runs')
  .option('--sync <sync>', 'only of this sync')
  .addOption(
    new Option('--status <status>', 'only those that ended, or stand, like this').choices(RUN_STATUSES),
  )
  .option('--limit <n>', 'how many, newest first', '20')
  .option('--json', AS_JSON)
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/runs.ts')).listRuns(options)),
  );
runs
  .command('show')
  .description('one run: its tables, decisions, and what was shown of held ones')
  .argument('<id>', 'a run id, or the first letters of one')
  .option('--json', AS_JSON)
  .action((id, options, command) =>
    runCommand(command, async () => (await import('./commands/runs.ts')).showRun(id, options)),
  );
for (const decision of ['approve', 'reject'] as const) {
  runs
    .command(decision)
    .description(`${decision} a held run`)
    .argument('<id>', 'a run id, or the first letters of one')
    .option('--reason <text>', 'kept with the decision')
    .option('--json', AS_JSON)
    .action((id, options, command) =>
      runCommand(command, async () => (await import('./commands/runs.ts')).decide(decision, id, options)),
    );
}
runs
  .command('cancel')
  .description('stop a run after the step it is in')
  .argument('<id>', 'a run id, or the first letters of one')
  .option('--reason <text>', 'kept with the decision')
  .option('--json', AS_JSON)
  .action((id, options, command) =>
    runCommand(command, async () => (await import('./commands/runs.ts')).cancel(id, options)),
  );

runs
  .command('undo')
  .description('take back what a run wrote: its rows are again as they were before it')
  .argument('<id>', 'a run id, or the first letters of one')
  .option('--reason <text>', 'kept with the undo')
  .option('--dry-run', 'only show what it would do, or which rows are in the way')
  .option('--pause-schedule', 'start no further run, which would apply the source again')
  .option('--json', AS_JSON)
  .action((id, options, command) =>
    runCommand(command, async () => (await import('./commands/undo.ts')).undo(id, options)),
  );

const schedules = program.command('schedules').description('the Temporal Schedules of the syncs');
schedules
  .command('list')
  .description('each with its next three times')
  .option('--json', AS_JSON)
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/schedules.ts')).list(options)),
  );
schedules
  .command('apply')
  .description('bring the schedules in line with the settings; never resumes one that a person paused')
  .action((_options, command) =>
    runCommand(command, async () => (await import('./commands/schedules.ts')).apply()),
  );
const SCHEDULE_CHANGES = {
  pause: 'start no runs until it is resumed',
  resume: 'start runs again',
  trigger: 'start a run now, unless one is open',
} as const;
for (const change of ['pause', 'resume', 'trigger'] as const) {
  schedules
    .command(change)
    .description(SCHEDULE_CHANGES[change])
    .argument('<id>', 'as shown by: schedules list')
    .option('--reason <text>', 'kept as the note of the schedule')
    .action((id, options, command) =>
      runCommand(command, async () => (await import('./commands/schedules.ts')).change(change, id, options)),
    );
}

const quarantine = program.command('quarantine').description('rows that could not be taken');
quarantine
  .command('list')
  .description('rows with the reason each was refused for')
  .option('--sync <sync>', 'only of this sync')
  .option('--table <table>', 'only of this table')
  .option('--run <id>', 'only of this run')
  .option('--limit <n>', 'how many, newest first', '50')
  .option('--json', AS_JSON)
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/quarantine.ts')).list(options)),
  );
quarantine
  .command('show')
  .description('one row: its text, every reason, and how to correct it')
  .argument('<id>', 'its number, as shown by: quarantine list')
  .option('--json', AS_JSON)
  .action((id, options, command) =>
    runCommand(command, async () => (await import('./commands/quarantine.ts')).show(id, options)),
  );

quarantine
  .command('replay')
  .description('validate rows again and merge those that are right now')
  .argument('[ids...]', 'numbers of rows; all unresolved ones when none is given')
  .option('--sync <sync>', 'only rows of this sync')
  .option('--table <table>', 'only rows of this table')
  .option('--run <id>', 'only rows of this run')
  .option('--set <column=value>', 'correct a value of the row first; may be repeated', repeated, [])
  .option('--json', AS_JSON)
  .action((ids, options, command) =>
    runCommand(command, async () => (await import('./commands/replay.ts')).replay(ids, options)),
  );

program
  .command('audit')
  .description('who did what, when; newest first')
  .option('--actor <start>', 'the first letters of who, such as cli: or token:ci')
  .option('--action <action>', 'such as approve')
  .option('--subject <start>', 'the first letters of what it was done to: a run id, a schedule, a client')
  .option('--since <instant>', 'not before this day or instant')
  .option('--until <instant>', 'before this day or instant')
  .option('--before <n>', 'the next page, as the page before says')
  .option('--limit <n>', 'how many, newest first', '50')
  .option('--json', AS_JSON)
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/audit.ts')).listAuditLog(options)),
  );

program
  .command('status')
  .description('what runs where')
  .option('--json', AS_JSON)
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/status.ts')).status(options)),
  );

program
  .command('demo')
  .description('what is demo, and how to go real')
  .action((_options, command) =>
    runCommand(command, async () => (await import('./commands/demo.ts')).demo()),
  );

program
  .command('migrate')
  .description('bring the database to the newest schema, and register the search attributes')
  .action((_options, command) =>
    runCommand(command, async () => (await import('./commands/migrate.ts')).migrate()),
  );

program
  .command('worker')
  .description('run a worker until it is told to stop')
  .option('--until-stdin-closes', 'stop also when standard input closes')
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/worker.ts')).worker(options)),
  );

program
  .command('api')
  .description('run the HTTP API')
  .action((_options, command) => runCommand(command, async () => (await import('./commands/api.ts')).api()));

program
  .command('login')
  .description('a link that logs a browser in to the dashboard, once and within ten minutes')
  .option('--json', AS_JSON)
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/login.ts')).login(options)),
  );

const token = program.command('token').description('tokens for the HTTP API');
token
  .command('create')
  .description('make a token; it is shown this once')
  .requiredOption('--role <role>', 'viewer, operator or admin')
  .option('--name <name>', 'what it is for', 'unnamed')
  .option('--json', AS_JSON)
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/token.ts')).create(options)),
  );
token
  .command('list')
  .description('every token by id, name and role, never itself')
  .option('--json', AS_JSON)
  .action((options, command) =>
    runCommand(command, async () => (await import('./commands/token.ts')).list(options)),
  );
token
  .command('revoke')
  .description('end a token at once')
  .argument('<id>', 'as shown by: token list')
  .action((id, _options, command) =>
    runCommand(command, async () => (await import('./commands/token.ts')).revoke(id)),
  );

addBackfillCommands(program);
addBackupCommands(program);
addClientCommands(program);
addRentalsCommands(program);

await program.parseAsync().catch((error: unknown) => {
  // Commander has already said what is wrong with the words of the command.
  const code = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 1;
  process.exitCode = code === 0 ? 0 : 2;
});
