import type { TestProject } from 'vitest/node';
import { startEngineHost } from './engine-host.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    engineHostUrl: string;
  }
}

/** Lets every test file of the run share one PostgreSQL and one Temporal server. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const host = await startEngineHost();
  project.provide('engineHostUrl', host.url);
  return host.stop;
}
