import { readFileSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that start processes, then files on engines take long; one of those begun last would keep a core idle. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const costs = new Map(files.map(({ moduleId }) => [moduleId, costOf(moduleId)]));
    const cost = ({ moduleId }: TestSpecification): number => costs.get(moduleId) ?? 0;
    return files.toSorted((a, b) => cost(b) - cost(a));
  }
}

/** These do much in few lines. */
const LONG =
  /(rentals-day|rentals-dedup|campaign|workflow-bundle|analyse-skus|undo-property|demo-data)\.test\.ts$/;

function costOf(path: string): number {
  if (LONG.test(path)) return 4e6;
  const text = readFileSync(path, 'utf8');
  if (/spawn\(|startDurasync|durasync\(|command\(|InChild|commerceProcesses/.test(text))
    return 3e6 + text.length;
  if (/createTestNamespace|Harness\(/.test(text)) return 2e6 + text.length;
  return text.length;
}
