import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';

/**
 * What tells one process from a later one that was given the same pid: the boot it belongs to and its start
 * time. Null when no such process runs; a zombie does not run.
 */
export function processIdentity(pid: number): string | null {
  return process.platform === 'linux' ? linuxIdentity(pid) : listedIdentity(pid);
}

function linuxIdentity(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startedAtTick] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${startedAtTick}`;
  } catch {
    return null;
  }
}

function listedIdentity(pid: number): string | null {
  try {
    const [state, ...startedAt] = ps('-o', 'state=,lstart=', '-p', String(pid)).trim().split(/\s+/);
    return !state || state.startsWith('Z') ? null : startedAt.join(' ');
  } catch {
    return null;
  }
}

export interface ProcessQuery {
  /** The folder the process works in. */
  readonly folder: string;
  /** Matches its command line. */
  readonly command: RegExp;
}

/**
 * The pids of the processes that work in a folder. Where the system has no /proc, those whose command line
 * names the folder.
 */
export function findProcesses(query: ProcessQuery): number[] {
  if (process.platform !== 'linux') return listedProcesses(query);
  const folder = statOrNull(query.folder);
  if (!folder) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      // Compared by inode, because a process in a container may see another folder under the same path.
      const cwd = statOrNull(`/proc/${pid}/cwd`);
      return cwd?.ino === folder.ino && cwd.dev === folder.dev && query.command.test(linuxCommand(pid));
    })
    .map(Number);
}

function listedProcesses({ folder, command }: ProcessQuery): number[] {
  return ps('-axo', 'pid=,command=')
    .split('\n')
    .filter((line) => line.includes(folder) && command.test(line))
    .map((line) => Number.parseInt(line, 10));
}

function statOrNull(path: string): { ino: number; dev: number } | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function linuxCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function ps(...args: string[]): string {
  return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
