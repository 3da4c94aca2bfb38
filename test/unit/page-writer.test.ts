import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { StagedRows } from '../../src/db/copy-text.ts';
import { PageWriter } from '../../src/db/page-writer.ts';
import type { PageToCommit } from '../../src/db/staging.ts';

function page(number: number, characters = 10): PageToCommit {
  const rows = new StagedRows();
  rows.add(number, 'valid', 'x'.repeat(characters));
  return {
    page: number,
    pages: 1,
    rows,
    fetched: 2,
    quarantined: [{ position: number, raw: 'bad', reasons: ['bad'], unreadable: true, values: null }],
    unreadable: 1,
    drift: [`column ${number}`],
    nextCursor: `page ${number + 1}`,
  };
}

const positions = (committed: PageToCommit): number[] =>
  Buffer.concat(committed.rows.chunks())
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => Number(line.split('\t')[0]));

/** A commit that ends when told, and what it was given. */
function slowCommit() {
  const given: PageToCommit[] = [];
  const ends: (() => void)[] = [];
  const commit = (next: PageToCommit): Promise<void> => {
    given.push(next);
    return new Promise((resolve) => ends.push(resolve));
  };
  return { given, commit, endNext: () => ends.shift()?.() };
}

test('pages that come while a commit is under way are committed together, in their order', async () => {
  const { given, commit, endNext } = slowCommit();
  const writer = new PageWriter(commit);
  for (const number of [0, 1, 2]) await writer.add(page(number));
  expect(given).toHaveLength(1);
  endNext();
  await sleep(0);
  expect(given).toHaveLength(2);
  endNext();
  await writer.end();
  const [first, second] = given;
  expect(first && positions(first)).toEqual([0]);
  expect(second && positions(second)).toEqual([1, 2]);
  expect(second).toMatchObject({
    page: 1,
    pages: 2,
    fetched: 4,
    quarantined: [{ position: 1 }, { position: 2 }],
    unreadable: 2,
    drift: ['column 1', 'column 2'],
    nextCursor: 'page 3',
  });
});

test('a page is committed at once when nothing is under way, also when no other page follows', async () => {
  const { given, commit, endNext } = slowCommit();
  const writer = new PageWriter(commit);
  await writer.add(page(0));
  expect(given).toHaveLength(1);
  endNext();
  await writer.end();
  await writer.add(page(1));
  expect(given).toHaveLength(2);
});

test('the source waits while too much waits to be written', async () => {
  const { given, commit, endNext } = slowCommit();
  const writer = new PageWriter(commit);
  await writer.add(page(0));
  await writer.add(page(1, 900_000));
  let taken = false;
  const third = writer.add(page(2, 900_000)).then(() => (taken = true));
  await sleep(5);
  expect(taken).toBe(false);
  endNext();
  await third;
  expect(given.map((each) => each.pages)).toEqual([1, 2]);
});

test('a failed commit is thrown to whoever comes next, and nothing is committed after it', async () => {
  const given: PageToCommit[] = [];
  const writer = new PageWriter(async (next) => {
    given.push(next);
    throw new Error('fenced');
  });
  await writer.add(page(0));
  await sleep(0);
  await expect(writer.add(page(1))).rejects.toThrow('fenced');
  await expect(writer.end()).rejects.toThrow('fenced');
  expect(given).toHaveLength(1);
});

test('without pages there is nothing to wait for', async () => {
  await new PageWriter(() => Promise.reject(new Error('never'))).end();
});
