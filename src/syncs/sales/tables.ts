import { z } from 'zod';
import { readRows } from '../../connectors/csv/read-rows.ts';
import { date, identifier, keyText, required } from '../columns.ts';
import type { TableDefinition } from '../define-sync.ts';
import { salesApi } from './api-source.ts';
import { checkSale } from './check-sale.ts';
import { amount, quantity, unitPrice } from './columns.ts';
import { SALE_COLUMNS } from './sale-columns.ts';
import { userRow } from './user-columns.ts';
import { usersFile } from './users-file.ts';

const FILE_BYTES_MAX = 4 * 1024 ** 3;

const sale = {
  date: required(date()),
  user_id: required(identifier()),
  product_name: required(keyText()),
  quantity: required(quantity()),
  unit_price: required(unitPrice()),
  total_amount: required(amount()),
  region: required(keyText()),
};

/**
 * Sales of single days. All that a sale shows is its key, so nothing of one ever changes: it is there, or withdrawn by
 * every source that has shown it.
 */
export const sales: TableDefinition = {
  name: 'sales',
  key: [...Object.keys(sale), 'ordinal'],
  ordinal: 'ordinal',
  row: z.object(sale),
  check: checkSale,
  source: salesApi,
  upload: {
    setting: 'upload',
    kind: 'sales',
    maxBytes: FILE_BYTES_MAX,
    readUpload: ({ fileName, read }) => readRows(read(), { source: fileName, columns: SALE_COLUMNS }),
  },
  day: 'date',
  shownBy: { column: 'sources', source: 'api', upload: 'csv' },
  archives: true,
};

/** People who may sign in, from files alone. Whoever is there is never changed by a file. */
export const users: TableDefinition = {
  name: 'users',
  key: ['username_key'],
  row: userRow,
  computed: { username_key: ({ username: name }) => String(name).toLowerCase() },
  secret: true,
  source: usersFile,
  existing: 'skip',
  archives: false,
};
