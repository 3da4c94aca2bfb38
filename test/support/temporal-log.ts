import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/** What Temporal's SDK warns of goes to the console, which vitest shows for tests that fail. */
const temporalLog = new DefaultLogger('WARN', ({ level, message, meta }) =>
  console.error(level, message, meta),
);

/** Once for each process, before anything of Temporal's native part. */
export function routeTemporalLog(): void {
  Runtime.install({
    logger: temporalLog,
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN' }) } },
    shutdownSignals: [],
  });
}

/** Runs an activity as a worker would, without a Temporal server. */
export function runActivity<Input extends unknown[], Output>(
  activity: (...input: Input) => Promise<Output>,
  ...input: Input
): Promise<Output> {
  return new MockActivityEnvironment({}, { logger: temporalLog }).run(activity, ...input);
}
