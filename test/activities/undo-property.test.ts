import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startUndoBed, type Shown } from '../support/undo-bed.ts';

const bed = await startUndoBed();
const WEEK_AND_A_BIT_MS = 8 * 86_400_000;

/** From one to five rows, each in one of five versions. */
const snapshot: fc.Arbitrary<Shown> = fc.dictionary(
  fc.constantFrom('1', '2', '3', '4', '5', '6'),
  fc.nat({ max: 4 }),
  { minKeys: 1, maxKeys: 6 },
);

const oneRun = fc.oneof(
  fc.record({ approved_makes: snapshot }).map((show) => ({ sync: 'fleet', show, input: {} })),
  fc
    .record({ cars: snapshot, full: fc.boolean(), late: fc.boolean() })
    .map(({ cars, full, late }) => ({ sync: 'cars', show: { cars }, input: { full, late } })),
  fc
    .record({ bookings: snapshot, returns: snapshot, walk_ins: snapshot })
    .map((show) => ({ sync: 'rentals', show, input: {} })),
  fc.record({ orders: snapshot, products: snapshot }).map((show) => ({ sync: 'commerce', show, input: {} })),
);

test('undoing the last of any runs gives the state before it, and so does undoing all of them in turn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(oneRun, { minLength: 1, maxLength: 5 }), async (runs) => {
      const before: { runId: Awaited<ReturnType<typeof bed.run>>; state: unknown }[] = [];
      for (const { sync, show, input } of runs) {
        const state = await bed.state();
        const logicalAt = new Date(
          Date.now() + ('late' in input && input.late ? WEEK_AND_A_BIT_MS : 0),
        ).toISOString();
        const full = 'full' in input && input.full;
        before.push({ state, runId: await bed.run(sync, show, { logicalAt, full }) });
      }
      for (const { runId, state } of before.toReversed()) {
        const took = await bed.undo(runId);
        const so = took.outcome === 'undone' ? 'undone' : took.reason;
        expect(so).toMatch(/^undone$|changed nothing/);
        expect(await bed.state()).toEqual(state);
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );
}, 60_000);
