/** An access token and for how long LWA says that it works. */
export interface LwaToken {
  readonly accessToken: string;
  readonly expiresInMs: number;
}

/** Access tokens of one process, in memory only. */
export interface LwaTokenCache {
  /**
   * The token kept under `key`, or a new one from `request`. Callers that come while a request is under way share
   * it; a failed request is not kept.
   *
   * @param key a hash, never a secret
   * @throws the error of `request`, or the signal's reason at once
   */
  get(key: string, request: () => Promise<LwaToken>, signal: AbortSignal): Promise<string>;
  /** Drops a token that was refused, unless another has taken its place already. */
  forget(key: string, accessToken: string): void;
}

/** A token is replaced this long before it ends, so that none ends on its way. */
const MARGIN_MS = 60_000;

export function createLwaTokenCache({ now = Date.now }: { now?: () => number } = {}): LwaTokenCache {
  const kept = new Map<string, { readonly accessToken: string; readonly usableUntil: number }>();
  const underWay = new Map<string, Promise<string>>();

  async function renew(key: string, request: () => Promise<LwaToken>): Promise<string> {
    try {
      const askedAt = now();
      const { accessToken, expiresInMs } = await request();
      for (const [old, { usableUntil }] of kept) if (usableUntil <= askedAt) kept.delete(old);
      kept.set(key, { accessToken, usableUntil: askedAt + expiresInMs - MARGIN_MS });
      return accessToken;
    } finally {
      underWay.delete(key);
    }
  }

  return {
    async get(key, request, signal) {
      signal.throwIfAborted();
      const token = kept.get(key);
      if (token !== undefined && token.usableUntil > now()) return token.accessToken;
      let renewal = underWay.get(key);
      if (renewal === undefined) {
        renewal = renew(key, request);
        underWay.set(key, renewal);
      }
      return await unlessAborted(renewal, signal);
    },
    forget(key, accessToken) {
      if (kept.get(key)?.accessToken === accessToken) kept.delete(key);
    },
  };
}

/** The shared work goes on for the others when one of its callers is aborted. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
