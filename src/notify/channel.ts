/** One notification on its way out. */
export interface Outgoing {
  readonly id: number;
  readonly kind: string;
  readonly event: string;
  readonly title: string;
  readonly body: string;
  readonly createdAt: Date;
}

/** A way to reach people. */
export interface Channel {
  /** `slack`, or `email:` and an address. */
  readonly name: string;
  /** @throws DeliveryError */
  send(outgoing: Outgoing, signal: AbortSignal): Promise<void>;
}

/** A notification that was not taken. The message holds no secret. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** Whether a later attempt may be taken. */
  readonly passes: boolean;
  /** How long the other side asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { passes, retryAfterMs }: { passes: boolean; retryAfterMs?: number }) {
    super(message);
    this.passes = passes;
    this.retryAfterMs = retryAfterMs;
  }
}
