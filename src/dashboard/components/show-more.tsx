import { useState } from 'preact/hooks';

const AT_ONCE = 50;
/** The API gives no more at once. */
const MOST = 1_000;

/** How many rows of a list to ask for, and the button that asks for more where there are more. */
export function useMore() {
  const [limit, setLimit] = useState(AT_ONCE);
  const moreButton = (thereAreMore: boolean) =>
    thereAreMore &&
    limit < MOST && (
      <button type="button" class="button plain more-button" onClick={() => setLimit(limit + AT_ONCE)}>
        Show more
      </button>
    );
  return { limit, moreButton };
}
