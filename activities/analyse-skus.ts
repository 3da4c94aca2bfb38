import { ApplicationFailure } from '@temporalio/common';
import { ATTEMPTS_MAX } from '../src/domain/failures.ts';
import type { SkuFailure, SkuPage, SkuPageInput } from '../src/domain/sku-analysis.ts';
import { isFullPage, listActiveClientIds, replaceSkus } from '../src/db/sku-cache.ts';
import { skuFacts } from '../src/syncs/commerce/sku-analysis.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { toFailure } from './to-failure.ts';

/**
 * Replaces the SKUs of a page of clients, each in a transaction of its own. A client that fails is reported and
 * keeps its old ones. Safe to repeat.
 *
 * @throws whatever passes by itself, such as a database that is away
 */
export async function analyseSkus(
  { database: { db }, log }: Pick<ActivityDependencies, 'database' | 'log'>,
  { after, at }: SkuPageInput,
  signal: AbortSignal,
): Promise<SkuPage> {
  const clientIds = await listActiveClientIds(db, after);
  const failures: SkuFailure[] = [];
  let [analysed, skus, older] = [0, 0, 0];
  for (const clientId of clientIds) {
    signal.throwIfAborted();
    try {
      const replaced = await replaceSkus(db, { clientId, at }, skuFacts);
      switch (replaced.outcome) {
        case 'replaced':
          analysed += 1;
          skus += replaced.skus;
          break;
        case 'older':
          older += 1;
          break;
      }
    } catch (error) {
      const message = `SKUs stay as they were: ${ownFault(error)}`;
      log.warn({ clientId }, message);
      failures.push({ clientId, message });
    }
  }
  const next = isFullPage(clientIds) ? (clientIds.at(-1) ?? null) : null;
  return { next, analysed, skus, older, failed: failures.length, failures };
}

/** What is wrong with this client's data; an error that trying again may mend is thrown on. */
function ownFault(error: unknown): string {
  const failure = toFailure(error, ATTEMPTS_MAX);
  if (failure instanceof ApplicationFailure && failure.nonRetryable) return failure.message;
  throw error;
}
