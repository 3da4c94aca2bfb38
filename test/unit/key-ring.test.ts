import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createKeyRing, sealedWith } from '../../src/key-ring.ts';

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [k1, k2] = [key('k1'), key('k2')];

describe('a key ring', () => {
  test('opens what it sealed, and only for the same owner', () => {
    const ring = createKeyRing(k1);
    const sealed = ring.seal('shpat_secret', 'credential 1');
    expect(sealed).not.toContain('shpat_secret');
    expect(ring.open(sealed, 'credential 1')).toBe('shpat_secret');
    expect(() => ring.open(sealed, 'credential 2')).toThrow(/altered/);
  });

  test('never seals the same text twice the same way', () => {
    const ring = createKeyRing(k1);
    expect(ring.seal('a', 'x')).not.toBe(ring.seal('a', 'x'));
  });

  test('opens secrets of older keys and seals with the first', () => {
    const old = createKeyRing(k1).seal('secret', 'x');
    const ring = createKeyRing(`${k2},${k1}`);
    expect(ring.open(old, 'x')).toBe('secret');
    expect(sealedWith(ring.seal('secret', 'x'))).toBe('k2');
  });

  test('names the key it does not have, and notices every altered letter', () => {
    const sealed = createKeyRing(k1).seal('secret', 'x');
    expect(() => createKeyRing(k2).open(sealed, 'x')).toThrow(/key 'k1'/);
    const letters = sealed.split('');
    letters[letters.length - 3] = letters.at(-3) === 'A' ? 'B' : 'A';
    expect(() => createKeyRing(k1).open(letters.join(''), 'x')).toThrow(/altered/);
  });

  test.each(['', 'k1', 'k1:short', `bad id:${randomBytes(32).toString('base64')}`])(
    'a wrong list of keys is refused at start without showing a key: %s',
    (keys) => {
      expect(() => readConfig({ DURASYNC_SECRET_KEYS: keys || ' , ' })).toThrow(/DURASYNC_SECRET_KEYS/);
    },
  );

  test('a shared database is refused without keys', () => {
    expect(() => readConfig({ DATABASE_URL: 'postgres://localhost/x' })).toThrow(
      /DURASYNC_SECRET_KEYS is not set/,
    );
  });
});
