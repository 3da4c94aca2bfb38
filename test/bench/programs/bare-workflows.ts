import { condition, defineSignal, proxyActivities, setHandler, startChild } from '@temporalio/workflow';

interface BareActivities {
  nothing(): Promise<void>;
}

const { nothing } = proxyActivities<BareActivities>({ startToCloseTimeout: '1 minute' });

/** What a client's workflow can't cost less than: one look at the database, then a child for each signal. */
export async function bareEntity(activitiesOfRun: number): Promise<void> {
  let wishes = 0;
  setHandler(defineSignal('go'), () => void (wishes += 1));
  await nothing();
  for (;;) {
    await condition(() => wishes > 0);
    wishes -= 1;
    const child = await startChild(bareRun, { args: [activitiesOfRun] });
    await child.result();
  }
}

/** A run whose activities do nothing, one after the other. */
export async function bareRun(activities: number): Promise<void> {
  for (let done = 0; done < activities; done += 1) await nothing();
}
