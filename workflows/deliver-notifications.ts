import { condition, continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { notifications } from './activities.ts';
import { wakeSignal } from './messages.ts';

const WAIT_MIN_MS = 1_000;

/**
 * Sends notifications until none is left, and waits between the attempts of one that was not taken. The signal
 * `wake` says that there is another one; it also starts this workflow.
 */
export async function deliverNotifications(): Promise<void> {
  let woken = false;
  setHandler(wakeSignal, () => {
    woken = true;
  });
  for (;;) {
    woken = false;
    const { sent, failed, nextInMs } = await notifications.deliverNotifications();
    setCurrentDetails(`${sent} sent, ${failed} refused for good`);
    if (woken) continue;
    if (nextInMs === null) return;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof deliverNotifications>();
    await condition(() => woken, Math.max(WAIT_MIN_MS, nextInMs));
  }
}
