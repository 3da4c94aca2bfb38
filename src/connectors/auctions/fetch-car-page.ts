import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceAgent } from '../http/create-agent.ts';
import { z } from 'zod';
import { type FailureCode, SyncFailure } from '../../domain/failures.ts';
import { fetchFile } from '../http/fetch-file.ts';
import { nameSource } from '../http/name-source.ts';

/** The API of a collector of car auctions and listings. */
export interface AuctionsApi {
  readonly baseUrl: string;
  /** The setting that holds `baseUrl`: the name every error uses. */
  readonly setting: string;
  readonly apiKey: string;
  readonly http: SourceAgent;
}

export interface CarPage {
  /** The cars as the source shows them; any of them may be something else, such as null. */
  readonly cars: readonly unknown[];
  /** How many pages there are by now, counted from 1. */
  readonly lastPage: number;
}

export const CARS_PER_PAGE = 50;

/** Fifty cars with everything the source knows of them take less than one. */
const ANSWER_MB_MAX = 16;
const FIRST_WAIT_MS = 750;
/** A longer wait is left to Temporal, so that no step is occupied by it. */
const WAIT_MAX_MS = 60_000;
const HEADERS_TIMEOUT_MS = 60_000;

/** How often one page is asked for, by what went wrong; anything else is not asked for again. */
const TRIES_MAX: Partial<Record<FailureCode, number>> = {
  SourceThrottled: 6,
  SourceUnavailable: 3,
  SourceTruncated: 3,
};

/**
 * Fetches one page of cars. When the source is busy, it waits as long as asked for, else 750 ms, doubling. Safe to
 * repeat.
 *
 * @param page counted from 1
 * @throws SyncFailure with a `Source…` code or FileUnreadable; a source that blocks us is not asked again
 */
export async function fetchCarPage(api: AuctionsApi, page: number, signal: AbortSignal): Promise<CarPage> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask(api, page, signal);
    } catch (error) {
      const waitMs = waitBefore(error, tries);
      if (waitMs === null) throw error;
      await pause(waitMs, signal);
    }
  }
}

/** Waits, unless the signal ends it with its reason. */
export async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  await sleep(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
}

function waitBefore(error: unknown, tries: number): number | null {
  if (!(error instanceof SyncFailure) || tries >= (TRIES_MAX[error.code] ?? 1)) return null;
  const waitMs = error.retryAfterMs ?? FIRST_WAIT_MS * 2 ** (tries - 1);
  return waitMs <= WAIT_MAX_MS ? waitMs : null;
}

async function ask(api: AuctionsApi, page: number, signal: AbortSignal): Promise<CarPage> {
  const { baseUrl, setting, apiKey, http } = api;
  const url = `${baseUrl.replace(/\/+$/, '')}/api/cars?per_page=${CARS_PER_PAGE}&page=${page}&simple_paginate=0`;
  const where = `${nameSource(setting, new URL(url))}, page ${page}`;
  const headers = { 'x-api-key': apiKey, accept: 'application/json' };
  const { chunks, contentType } = await fetchFile({
    url,
    setting,
    signal,
    agent: http,
    headers,
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
  }).catch((error: unknown) => {
    throw blocked(error, page);
  });
  const text = await readText(chunks, where);
  if (contentType?.includes('html') || /^\s*</.test(text)) {
    throw new SyncFailure(
      'SourceRefused',
      `${where}: answered with a web page in place of cars, such as a bot check or a login. ${LEFT_ALONE}`,
    );
  }
  return readPage(text, page, where);
}

const LEFT_ALONE =
  'Nothing more is asked in this run, because a source that blocks us is left alone. Open the address by hand to see why.';

/** Says what a refusal means here. */
function blocked(error: unknown, page: number): unknown {
  if (!(error instanceof SyncFailure) || error.code !== 'SourceUnauthorized') return error;
  return new SyncFailure(
    'SourceUnauthorized',
    `${error.message} That was page ${page}. Check AUCTIONS_API_KEY. ${LEFT_ALONE}`,
  );
}

async function readText(chunks: AsyncIterable<Buffer>, where: string): Promise<string> {
  // Decoded as it comes: whole pages of bytes would wait for the garbage collector.
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > ANSWER_MB_MAX * 1024 * 1024) {
      throw new SyncFailure(
        'FileUnreadable',
        `${where}: the answer has more than ${ANSWER_MB_MAX} MB, which can't be a page of ${CARS_PER_PAGE} cars. Ask the source's support.`,
      );
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

const pageNumber = z.coerce.number().int().min(0);
const answer = z.object({
  data: z.array(z.unknown()),
  meta: z.object({ current_page: pageNumber, last_page: pageNumber }),
});

function readPage(text: string, page: number, where: string): CarPage {
  const parsed = answer.safeParse(parseJson(text));
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`,
    );
    throw new SyncFailure(
      'FileUnreadable',
      `${where}: the answer is not {data: [cars], meta: {current_page, last_page}} (${wrong.join('; ')}). Check AUCTIONS_API_BASE_URL.`,
    );
  }
  const { data, meta } = parsed.data;
  if (meta.current_page !== page) {
    throw new SyncFailure(
      'FileUnreadable',
      `${where}: the source answered with page ${meta.current_page}, so it does not turn its pages. Ask the source's support.`,
    );
  }
  return { cars: data, lastPage: meta.last_page };
}

/** The value, or undefined for what is not JSON: the parser's own error would quote the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
