import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { writePrivateFile, type Home } from './home.ts';
import { currentOwner } from './ownership.ts';

const runtimeSchema = z.object({
  /** The owner of the home. */
  pid: z.number().int(),
  startedAt: z.string(),
  mode: z.enum(['demo', 'real']),
  databaseUrl: z.string(),
  temporalAddress: z.string(),
  temporalNamespace: z.string(),
  /** Null when Temporal is not the embedded one. */
  temporalUiUrl: z.string().nullable(),
  /** Null when the owner runs no HTTP API, as during a single `run`. */
  apiUrl: z.string().nullable(),
  /** Null outside demo mode. */
  demoSourceUrl: z.string().nullable(),
});

/** What the owner of a home runs and where, so that other commands can use it. Holds the database's password. */
export type Runtime = z.infer<typeof runtimeSchema>;

const runtimePath = (home: Home): string => home.path('runtime.json');

/** Tells other commands where everything runs; only the owner of the home writes it. Safe to repeat. */
export async function writeRuntime(home: Home, runtime: Runtime): Promise<void> {
  await writePrivateFile(runtimePath(home), JSON.stringify(runtime, null, 2));
}

/** What runs in this home, or null when its owner is no longer alive or has not told yet. */
export async function readRuntime(home: Home): Promise<Runtime | null> {
  const owner = await currentOwner(home);
  const text = await readFile(runtimePath(home), 'utf8').catch(() => null);
  if (!owner || text === null) return null;
  const runtime = runtimeSchema.safeParse(JSON.parse(text));
  return runtime.success && runtime.data.pid === owner.pid ? runtime.data : null;
}

/** Safe to repeat. */
export async function removeRuntime(home: Home): Promise<void> {
  await rm(runtimePath(home), { force: true });
}
