import { DEMO_SOURCES } from './demo-sources.ts';

/** The environment variables that point every sync at the demo source server running at `baseUrl`. */
export const demoSettings = (baseUrl: string): Record<string, string> =>
  Object.assign({}, ...DEMO_SOURCES.map((source) => source.settings(baseUrl)));
