import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';

/**
 * Lets runs of these workflows end on the version of the code they began on. Only when the worker has a version:
 * the server refuses the wish from one without. Every other workflow moves on to new code, as those have to that
 * live for years or wait for people.
 */
export function pinToVersion(...workflows: readonly ((...args: never[]) => Promise<unknown>)[]): void {
  for (const workflow of workflows) {
    setWorkflowOptions(
      () => ({
        versioningBehavior: workflowInfo().currentDeploymentVersion?.deploymentName ? 'PINNED' : undefined,
      }),
      workflow,
    );
  }
}
