import { expect, test } from 'vitest';
import { found } from '../support/find-secrets.ts';

test('the search finds a secret in each form, also when it is cut in two', () => {
  const secret = 'shpat_a/b+c"0123456789';
  const body = JSON.stringify({ credentials: { secret } });
  const texts = [
    body,
    encodeURIComponent(body),
    ...['', 'x', 'xy'].map((before) => Buffer.from(before + body).toString('base64')),
    Buffer.from(body).toString('base64url'),
    Buffer.from(body).toString('hex'),
    `shpat_a/b+c\0\0\0\0"0123456789`,
  ];
  for (const text of texts) expect(found(Buffer.from(text), { secret }), text).toEqual(['secret']);
  expect(found(Buffer.from('shpat_ and 0123'), { secret })).toEqual([]);
});
