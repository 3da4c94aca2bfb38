import { continueAsNew, setCurrentDetails } from '@temporalio/workflow';
import type { SkuAnalysis } from '../src/domain/sku-analysis.ts';
import { skus } from './activities.ts';
import { logicalInstant } from './logical-instant.ts';

interface AnalyseSkusInput extends SkuAnalysis {
  readonly at: string;
  readonly after: string | null;
}

/** Pages of clients before a new history begins. */
const PAGES_MAX = 200;
const FAILURES_SHOWN = 20;

const NOTHING: SkuAnalysis = { analysed: 0, skus: 0, older: 0, failed: 0, failures: [] };

/**
 * Computes the SKUs of every active client again, page by page, as of the run's logical time. A client that fails
 * is reported and costs only itself. Safe to repeat.
 */
export async function analyseSkus(
  { at, after, ...counts }: AnalyseSkusInput = { at: logicalInstant(), after: null, ...NOTHING },
): Promise<SkuAnalysis> {
  let so: SkuAnalysis = counts;
  let from = after;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await skus.analyseSkus({ after: from, at });
    so = {
      analysed: so.analysed + page.analysed,
      skus: so.skus + page.skus,
      older: so.older + page.older,
      failed: so.failed + page.failed,
      failures: [...so.failures, ...page.failures].slice(0, FAILURES_SHOWN),
    };
    setCurrentDetails(`${so.skus} SKUs of ${so.analysed} clients, ${so.failed} clients failed`);
    if (page.next === null) return so;
    from = page.next;
  }
  return continueAsNew<typeof analyseSkus>({ at, after: from, ...so });
}
