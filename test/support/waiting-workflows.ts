import { sleep, type WorkflowInterceptorsFactory, workflowInfo } from '@temporalio/workflow';

/** Bundled with the workflows, it makes code that can't go on with any run of the present code: each waits first. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      execute: async (input, next) => {
        if (workflowInfo().workflowType === 'runSync') await sleep('10 ms');
        return next(input);
      },
    },
  ],
});
