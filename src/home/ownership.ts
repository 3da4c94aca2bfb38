import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { HomeError, type Home } from './home.ts';
import { processIdentity } from './processes.ts';

const ownerSchema = z.object({ pid: z.number().int(), identity: z.string(), startedAt: z.string() });

/** The process that runs the engines of a home. */
export type HomeOwner = z.infer<typeof ownerSchema>;

export interface HomeOwnership {
  readonly owner: HomeOwner;
  /** Lets another process own the home. Safe to repeat. */
  release(): Promise<void>;
}

/** Another live process owns the engines of this home. */
class HomeTakenError extends HomeError {
  readonly pid: number;

  constructor(home: Home, owner: HomeOwner) {
    super(
      `Another Durasync process (pid ${owner.pid}, since ${owner.startedAt}) already runs the engines of ${home.dir}. ` +
        `Use that one, stop it with Ctrl-C or "kill ${owner.pid}", or set DURASYNC_HOME to another folder.`,
    );
    this.pid = owner.pid;
  }
}

interface Claim {
  readonly number: number;
  /** Null when the claim was given up or its process is gone. */
  readonly owner: HomeOwner | null;
}

/**
 * Makes this process the only owner of the engines of a home; a claim that a dead process left behind is
 * taken over. All processes that share a home must be on one machine.
 *
 * Claims are numbered files and the highest one counts. A file is only ever made with a number that nobody
 * has, so of two processes that start at the same instant exactly one makes the next number, and nobody has
 * to remove a claim that might have become somebody else's meanwhile.
 *
 * @throws HomeTakenError when a live process (this one included) owns it
 * @throws HomeError when the home can't be written
 */
export async function takeOwnership(home: Home): Promise<HomeOwnership> {
  const identity = processIdentity(process.pid);
  if (identity === null)
    throw new HomeError('The start time of this process could not be read from the system.');
  const owner: HomeOwner = { pid: process.pid, identity, startedAt: new Date().toISOString() };
  const draft = home.path(`.owner-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(owner), { mode: 0o600, flush: true });
  try {
    const number = await claim(home, draft);
    await rm(home.path('runtime.json'), { force: true });
    return { owner, release: () => writeFile(claimPath(home, number), '') };
  } finally {
    await rm(draft, { force: true });
  }
}

/** The live owner of a home, or null. */
export async function currentOwner(home: Home): Promise<HomeOwner | null> {
  return (await newestClaim(home)).owner;
}

async function claim(home: Home, draft: string): Promise<number> {
  for (;;) {
    const newest = await newestClaim(home);
    if (newest.owner) throw new HomeTakenError(home, newest.owner);
    const number = newest.number + 1;
    if (!(await linkUnlessThere(draft, claimPath(home, number)))) continue;
    const numbers = await claimNumbers(home);
    // A process that was suspended since it looked may have made a number that others have since passed.
    if (numbers.some((other) => other > number)) {
      await rm(claimPath(home, number), { force: true });
      continue;
    }
    for (const old of numbers) if (old < number) await rm(claimPath(home, old), { force: true });
    return number;
  }
}

const claimPath = (home: Home, number: number): string => home.path(`owner.${number}.json`);

async function claimNumbers(home: Home): Promise<number[]> {
  const names = await readdir(home.dir);
  return names.flatMap((name) => /^owner\.(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number);
}

async function newestClaim(home: Home): Promise<Claim> {
  const number = Math.max(0, ...(await claimNumbers(home)));
  return { number, owner: number === 0 ? null : await liveOwner(claimPath(home, number)) };
}

async function liveOwner(path: string): Promise<HomeOwner | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  // Empty when it was released, cut when the machine lost power.
  if (!text.endsWith('}')) return null;
  const owner = ownerSchema.parse(JSON.parse(text));
  return processIdentity(owner.pid) === owner.identity ? owner : null;
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
