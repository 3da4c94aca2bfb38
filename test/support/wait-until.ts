import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 25;

/** Waits until the condition holds. @throws Error naming what was waited for, after `timeoutMs` */
export async function waitUntil(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = 90_000,
): Promise<void> {
  for (const giveUpAt = Date.now() + timeoutMs; Date.now() < giveUpAt; await sleep(POLL_MS)) {
    if (await holds()) return;
  }
  throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
}
