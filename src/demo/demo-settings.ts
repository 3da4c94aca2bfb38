import { DEMO_SOURCES } from './demo-sources.ts';

/**
 * The environment variables that point the syncs at the demo source server running at `baseUrl`. A source of which
 * a variable is set in `env` is left as it is: base addresses may be set in demo mode too.
 */
export const demoSettings = (
  baseUrl: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> =>
  Object.assign(
    {},
    ...DEMO_SOURCES.map((source) => source.settings(baseUrl)).filter((settings) =>
      Object.keys(settings).every((name) => !env[name]?.trim()),
    ),
  );
