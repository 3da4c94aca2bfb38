/** A lead as the model and the database are compared. */
export interface ModelLead {
  readonly attended_by: string;
  readonly remarks: string;
  readonly call_status: string;
}

/** One row of a source, as people and software write it. */
export interface LeadInput {
  readonly bookingNo: string;
  readonly phone: string;
  readonly name: string;
  readonly store: string;
  readonly date: string;
  readonly staff: string;
  readonly remarks: string;
}

export type LeadTable = 'bookings' | 'returns' | 'walk_ins' | 'loss_of_sale';

const TYPES: Readonly<Record<LeadTable, string>> = {
  bookings: 'bookingconfirmation',
  returns: 'return',
  walk_ins: 'enquiry',
  loss_of_sale: 'lossOfSale',
};

/** What the leads should be, in a few lines and without a database. */
export class LeadModel {
  readonly leads = new Map<string, ModelLead>();
  readonly #closed = new Set<string>();

  load(table: LeadTable, rows: readonly LeadInput[]): void {
    const isApi = table === 'bookings' || table === 'returns';
    const last = new Map(rows.map((row) => [keyOf(table, row), row]));
    for (const [key, { staff, remarks }] of last) {
      const there = this.leads.get(key);
      if (there && !isApi) this.leads.set(key, { ...there, attended_by: staff });
      if (there || this.#closed.has(key)) continue;
      this.leads.set(key, { attended_by: staff, remarks, call_status: 'Not Called' });
    }
  }

  /** The key of the n-th lead, counted round. */
  pick(n: number): string | undefined {
    return [...this.leads.keys()].sort()[n % Math.max(1, this.leads.size)];
  }

  close(key: string): void {
    this.leads.delete(key);
    this.#closed.add(key);
  }

  edit(key: string, remarks: string): void {
    const there = this.leads.get(key);
    if (there) this.leads.set(key, { ...there, remarks, call_status: 'Connected' });
  }
}

const same = (text: string): string => text.trim().split(/\s+/).join(' ').toLowerCase();

/** The rule of the specification, said once more in another way. */
function keyOf(table: LeadTable, { bookingNo, phone, name, store, date }: LeadInput): string {
  const digits = phone.replaceAll(/\D/g, '').slice(-10);
  const type = TYPES[table];
  const isVisit = table === 'walk_ins' || table === 'loss_of_sale';
  if (isVisit) return JSON.stringify([type, digits, same(name), same(store), date]);
  return JSON.stringify(bookingNo ? [type, digits, bookingNo] : [type, digits, same(name), same(store)]);
}

/** The key of a row of the table `leads`, as the model makes it. */
export function keyOfRow(row: Readonly<Record<string, unknown>>): string {
  const text = (column: string): string => (typeof row[column] === 'string' ? row[column] : '');
  const table = Object.entries(TYPES).find(([, type]) => type === row['lead_type'])?.[0] as LeadTable;
  return keyOf(table, {
    bookingNo: text('booking_no'),
    phone: text('phone'),
    name: text('name'),
    store: text('store'),
    date: text('enquiry_date'),
    staff: '',
    remarks: '',
  });
}
