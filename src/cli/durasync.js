#!/usr/bin/env node
import { compiledProgram } from './compiled-program.js';

const program = await compiledProgram().catch(async () => {
  // Where nothing can be written, every file is compiled while it is loaded.
  (await import('tsx/esm/api')).register();
  return './main.ts';
});
// Stack traces that name sources are worth the time of reading the maps where stacks are shown.
process.setSourceMapsEnabled(process.argv.some((word) => ['up', 'worker', 'api', '--debug'].includes(word)));
await import(program);
