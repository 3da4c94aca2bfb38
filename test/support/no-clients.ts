import type { ActivityDependencies } from '../../activities/dependencies.ts';

/** For activities that start no workflows of clients. */
export const NO_CLIENTS: ActivityDependencies['clients'] = {
  listRunning: async () => new Set(),
  start: async () => undefined,
  reload: async () => undefined,
};
