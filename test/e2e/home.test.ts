import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, expect, test } from 'vitest';
import { openHome } from '../../src/home/home.ts';
import { currentOwner, takeOwnership } from '../../src/home/ownership.ts';
import { readRuntime } from '../../src/home/runtime.ts';
import { startProgram } from '../support/start-program.ts';

const folder = await mkdtemp(join(tmpdir(), 'durasync-home-'));
const started: ChildProcess[] = [];
let homes = 0;

afterEach(() => started.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(() => rm(folder, { recursive: true }));

const newHome = () => openHome(join(folder, String((homes += 1))));

/** A process that tries to own a home, and the first thing it says. */
async function startOwner(dir: string): Promise<{ child: ChildProcess; says: string }> {
  const child = await startProgram('own-home', [dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  const [chunk] = await once(child.stdout as Readable, 'data');
  return { child, says: String(chunk).trim() };
}

test('a home is made with mode 700, and one made by hand is tightened', async () => {
  const home = await newHome();
  expect((await stat(home.dir)).mode & 0o777).toBe(0o700);
  await chmod(home.dir, 0o755);
  await rm(home.path('logs'), { recursive: true });
  await openHome(home.dir);
  expect((await stat(home.dir)).mode & 0o777).toBe(0o700);
});

test('a folder that holds other things keeps its mode', async () => {
  const dir = await mkdtemp(join(folder, 'shared-'));
  await writeFile(join(dir, 'of-somebody'), '');
  await chmod(dir, 0o755);
  await openHome(dir);
  expect((await stat(dir)).mode & 0o777).toBe(0o755);
});

test('a home that is a file is refused with a remedy', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  await expect(openHome(file)).rejects.toThrow(/is not a folder.*DURASYNC_HOME/);
});

test('a home in a folder that this user can not write is refused with a remedy', async () => {
  const dir = await mkdtemp(join(folder, 'read-only-'));
  await chmod(dir, 0o500);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.('nobody');
  const opening = openHome(join(dir, 'home'));
  await opening.catch(() => undefined);
  if (isRoot) process.seteuid?.(0);
  await expect(opening).rejects.toThrow(/can't be written by this user \(EACCES\).*DURASYNC_HOME/);
});

test('a second owner is refused with the pid of the first and a remedy', async () => {
  const home = await newHome();
  const first = await startOwner(home.dir);
  await expect(takeOwnership(home)).rejects.toThrow(
    new RegExp(`pid ${first.child.pid}.*kill ${first.child.pid}.*DURASYNC_HOME`),
  );
  expect(await readRuntime(home)).toMatchObject({ pid: first.child.pid, mode: 'demo' });
  expect((await stat(home.path('runtime.json'))).mode & 0o777).toBe(0o600);
});

test('a process owns a home only once, and again after it let go', async () => {
  const home = await newHome();
  const ownership = await takeOwnership(home);
  await expect(takeOwnership(home)).rejects.toThrow(`pid ${process.pid}`);
  await ownership.release();
  await ownership.release();
  expect(await currentOwner(home)).toBeNull();
  await (await takeOwnership(home)).release();
});

test('a home whose owner was killed has no runtime and can be taken over', async () => {
  const home = await newHome();
  const { child } = await startOwner(home.dir);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await readRuntime(home)).toBeNull();
  const ownership = await takeOwnership(home);
  expect((await currentOwner(home))?.pid).toBe(process.pid);
  await ownership.release();
});

test('a later process with the pid of a killed owner is not taken for that owner', async () => {
  const home = await newHome();
  const stale = { pid: process.ppid, identity: 'another boot:1', startedAt: '2026-01-01T00:00:00Z' };
  await writeFile(home.path('owner.7.json'), JSON.stringify(stale));
  expect(await currentOwner(home)).toBeNull();
  await (await takeOwnership(home)).release();
});

test('a claim that was cut when the machine lost power is taken over', async () => {
  const home = await newHome();
  await writeFile(home.path('owner.1.json'), '{"pid":');
  await (await takeOwnership(home)).release();
});

test('of many starts at the same instant over a stale claim exactly one wins', async () => {
  for (let round = 0; round < 20; round += 1) {
    const home = await newHome();
    await writeFile(home.path('owner.3.json'), '');
    const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => takeOwnership(home)));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await readdir(home.dir)).filter((name) => name.includes('owner'))).toEqual(['owner.4.json']);
  }
});

test('of several processes that start at the same instant exactly one wins', async () => {
  const home = await newHome();
  await writeFile(home.path('owner.1.json'), '');
  const owners = await Promise.all([1, 2, 3, 4].map(() => startOwner(home.dir)));
  expect(owners.filter(({ says }) => says === 'owner')).toHaveLength(1);
  expect(owners.filter(({ says }) => says.includes('Another Durasync process'))).toHaveLength(3);
});
