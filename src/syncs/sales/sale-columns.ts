import type { CsvColumn } from '../../connectors/csv/match-header.ts';

/** The columns of a sale, in the order of a file without a header row. */
export const SALE_COLUMNS: readonly CsvColumn[] = [
  { name: 'date', header: 'Date', aliases: ['Sale Date'], required: true },
  { name: 'user_id', header: 'User ID', aliases: ['User'], required: true },
  { name: 'product_name', header: 'Product Name', aliases: ['Product'], required: true },
  { name: 'quantity', header: 'Quantity', aliases: ['Qty'], required: true },
  { name: 'unit_price', header: 'Unit Price', aliases: ['Price'], required: true },
  { name: 'total_amount', header: 'Total Amount', aliases: ['Total'], required: true },
  { name: 'region', header: 'Region', required: true },
];
