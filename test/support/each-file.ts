import { afterAll } from 'vitest';
import { endStarted } from './started-durasync.ts';

// Runs for each test file. A hook at the top of another support file would see only the first file of a process, and one
// that a running test registers is never called.
afterAll(endStarted);
