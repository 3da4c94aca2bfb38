import type { PageToCommit } from './staging.ts';

/** When more than this waits to be written, so does the source. */
const WAITING_CHARACTERS_MAX = 1024 * 1024;

/**
 * Commits pages in their order, one transaction at a time. Pages that come while one is under way wait and are
 * committed together, so that small pages cost few transactions and none waits longer than it has to.
 */
export class PageWriter {
  readonly #commit: (page: PageToCommit) => Promise<void>;
  #waiting: PageToCommit | null = null;
  #underWay: Promise<void> = Promise.resolve();
  #all: Promise<void> | null = null;
  #hasFailed = false;

  constructor(commit: (page: PageToCommit) => Promise<void>) {
    this.#commit = commit;
  }

  /** Takes a page. Resolves when there is room for the next one; throws what an earlier commit threw. */
  async add(page: PageToCommit): Promise<void> {
    if (this.#hasFailed) await this.#all;
    this.#waiting = this.#waiting ? join(this.#waiting, page) : page;
    if (this.#all === null) {
      this.#all = this.#commitAll();
      // Thrown to whoever comes next; until then it must not count as unhandled.
      this.#all.catch(() => (this.#hasFailed = true));
    }
    if (sizeOf(this.#waiting) > WAITING_CHARACTERS_MAX) await this.#underWay;
  }

  /** Resolves when every page is committed; throws what a commit threw. */
  async end(): Promise<void> {
    await this.#all;
  }

  async #commitAll(): Promise<void> {
    while (this.#waiting) {
      this.#underWay = this.#commit(this.#waiting);
      this.#waiting = null;
      await this.#underWay;
    }
    this.#all = null;
  }
}

const sizeOf = (page: PageToCommit | null): number =>
  page === null ? 0 : page.quarantined.reduce((sum, { raw }) => sum + raw.length, page.rows.length);

function join(first: PageToCommit, next: PageToCommit): PageToCommit {
  first.rows.append(next.rows);
  return {
    page: first.page,
    pages: first.pages + next.pages,
    rows: first.rows,
    quarantined: [...first.quarantined, ...next.quarantined],
    fetched: first.fetched + next.fetched,
    unreadable: first.unreadable + next.unreadable,
    drift: [...first.drift, ...next.drift],
    nextCursor: next.nextCursor,
  };
}
