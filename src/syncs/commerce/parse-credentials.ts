import type { z } from 'zod';
import type { Platform } from '../../domain/clients.ts';
import { SyncFailure } from '../../domain/failures.ts';
import { amazonCredentials, shopifyCredentials } from './open-shop.ts';

const SCHEMAS = { shopify: shopifyCredentials, amazon: amazonCredentials } as const satisfies Record<
  Platform,
  z.ZodObject
>;

/**
 * Checks the secrets of a connection before they are kept.
 *
 * @returns them as JSON text, ready to be sealed
 * @throws SyncFailure InvalidInput naming each wrong field and why; no value is repeated
 */
export function parseCredentials(platform: Platform, given: unknown): string {
  const parsed = SCHEMAS[platform].safeParse(given);
  if (parsed.success) return JSON.stringify(parsed.data);
  const wrong = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `${issue.keys.length} more than are known`
      : `${issue.path.join('.') || 'all of it'}: ${issue.message}`,
  );
  const wanted = Object.keys(SCHEMAS[platform].shape).join(', ');
  throw new SyncFailure(
    'InvalidInput',
    `The credentials of a connection to ${platform} are not right: ${wrong.join('; ')}. They are a JSON object with the fields ${wanted}.`,
  );
}
