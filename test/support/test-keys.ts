import { randomBytes } from 'node:crypto';
import { createKeyRing } from '../../src/key-ring.ts';

/** Keys of this process alone. */
export const TEST_KEYS = createKeyRing(`test:${randomBytes(32).toString('base64')}`);
