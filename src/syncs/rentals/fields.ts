/** The names under which the API gives the columns of a lead; the first that is not blank counts. */
const ALIASES = {
  phone: ['phoneNo', 'phone', 'customerPhone', 'mobile', 'contact'],
  name: ['name', 'customerName'],
  booking_no: ['bookingNo', 'bookingNumber'],
  return_date: ['returnDate'],
  function_date: ['functionDate', 'eventDate', 'deliveryDate', 'trialDate'],
  enquiry_date: ['enquiryDate', 'date'],
  booking_date: ['bookingDate'],
  rent_out_date: ['rentOutDate'],
  expected_return_date: ['expectedReturnDate'],
  cancel_date: ['cancelDate'],
  item_code: ['itemCode'],
  item_name: ['itemName'],
  category: ['category'],
  sub_category: ['subCategory'],
  payment_type: ['paymentType'],
  price: ['price'],
  measurement: ['measurement'],
  address: ['address'],
  attended_by: ['attendedBy', 'staff', 'bookingBy', 'handledBy'],
  remarks: ['remarks', 'feedback', 'notes'],
} as const;

type SourceRecord = Readonly<Record<string, unknown>>;

/** Case, and the difference between camelCase and snake_case, do not count. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

const COLUMNS = Object.entries(ALIASES).map(([column, names]) => ({ column, names: names.map(plain) }));

/** The values of a record by their plain names, as text. */
export function plainValues(record: SourceRecord): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(record)) {
    const text = asText(value);
    // Of two spellings of one name, the one that says something counts.
    if (text.trim() !== '' || !values.has(plain(name))) values.set(plain(name), text);
  }
  return values;
}

/** The columns of a lead that a record of a report has a value for. */
export function leadFields(record: SourceRecord): Record<string, string> {
  const values = plainValues(record);
  const fields: Record<string, string> = {};
  for (const { column, names } of COLUMNS) {
    const found = names.find((name) => (values.get(name) ?? '').trim() !== '');
    if (found !== undefined) fields[column] = values.get(found) ?? '';
  }
  return fields;
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
