// Takes a home and keeps it: prints "owner" or the error. Started by the tests of the home as a process of its own.
import { openHome } from '../../../src/home/home.ts';
import { takeOwnership } from '../../../src/home/ownership.ts';
import { writeRuntime } from '../../../src/home/runtime.ts';

const home = await openHome(process.argv[2] ?? '');
try {
  const { owner } = await takeOwnership(home);
  await writeRuntime(home, {
    pid: owner.pid,
    startedAt: owner.startedAt,
    mode: 'demo',
    databaseUrl: 'postgres://127.0.0.1/none',
    temporalAddress: '127.0.0.1:1',
    temporalNamespace: 'demo',
    temporalUiUrl: null,
    apiUrl: null,
    demoSourceUrl: null,
  });
  console.log('owner');
  setInterval(() => undefined, 60_000);
} catch (error) {
  console.log(String(error));
}
