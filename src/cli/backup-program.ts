import type { Command } from '@commander-js/extra-typings';
import { runCommand } from './run-command.ts';

const FROM = 'local or s3; the first that has it when left away';

/** Adds the commands about backups. */
export function addBackupCommands(program: Command<[], { debug?: true }>): void {
  const backup = program.command('backup').description('backups of the database, and bringing them back');
  backup
    .command('create')
    .description('make one now, while syncs go on; copies it to the bucket when AWS_S3_BACKUP_BUCKET is set')
    .option('--json')
    .action((options, command) =>
      runCommand(command, async () => (await import('./commands/backup.ts')).create(options)),
    );
  backup
    .command('list')
    .description('every whole backup, newest first')
    .option('--json')
    .action((options, command) =>
      runCommand(command, async () => (await import('./commands/backup.ts')).list(options)),
    );
  backup
    .command('verify')
    .description('restore one into a scratch database and compare every table')
    .argument('[name]', 'as shown by: backup list; the newest when left away')
    .option('--from <place>', FROM)
    .option('--scratch <url>', 'a database on the server to restore on; the configured one when left away')
    .option('--json')
    .action((name, options, command) =>
      runCommand(command, async () => (await import('./commands/backup.ts')).verify(name, options)),
    );
  backup
    .command('restore')
    .description('bring one back into an empty, a new or, with --yes, any database')
    .argument('<name>', 'as shown by: backup list')
    .requiredOption('--into <url>', 'postgres://user:password@host:5432/database')
    .option('--yes', 'replace a database that holds rows; it is kept under another name')
    .option('--from <place>', FROM)
    .option('--json')
    .action((name, options, command) =>
      runCommand(command, async () => (await import('./commands/backup-restore.ts')).restore(name, options)),
    );
  backup
    .command('prune')
    .description('remove backups older than BACKUP_RETENTION_DAYS, never the last good one')
    .option('--dry-run', 'only show them')
    .option('--json')
    .action((options, command) =>
      runCommand(command, async () => (await import('./commands/backup.ts')).prune(options)),
    );
}
