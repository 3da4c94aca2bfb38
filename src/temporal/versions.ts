import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, isGrpcServiceError } from '@temporalio/client';

/** What the server calls all versions of our workers together. */
export const DEPLOYMENT_NAME = 'durasync';

const GRPC_NOT_FOUND = 5;
const GRPC_FAILED_PRECONDITION = 9;
const WAIT_MS = 30_000;
const POLL_MS = 200;

/** The build that new runs begin on; null when no version was ever made current. */
export async function currentBuild({ workflowService, options }: Client): Promise<string | null> {
  try {
    const { workerDeploymentInfo } = await workflowService.describeWorkerDeployment({
      namespace: options.namespace,
      deploymentName: DEPLOYMENT_NAME,
    });
    return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId || null;
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === GRPC_NOT_FOUND) return null;
    throw error;
  }
}

/**
 * Lets new runs begin on a build and clients move there; runs that are under way stay where they are. Waits for a
 * worker of that build, half a minute at most. Safe to repeat.
 *
 * @throws the server's error when no worker of that build polls
 */
export async function makeCurrent({ workflowService, options }: Client, buildId: string): Promise<void> {
  for (const giveUpAt = Date.now() + WAIT_MS; ; await sleep(POLL_MS)) {
    try {
      await workflowService.setWorkerDeploymentCurrentVersion({
        namespace: options.namespace,
        deploymentName: DEPLOYMENT_NAME,
        buildId,
      });
      return;
    } catch (error) {
      const isEarly =
        isGrpcServiceError(error) && [GRPC_NOT_FOUND, GRPC_FAILED_PRECONDITION].includes(error.code);
      if (!isEarly || Date.now() > giveUpAt) throw error;
    }
  }
}
