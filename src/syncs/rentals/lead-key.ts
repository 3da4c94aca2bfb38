/** What tells one lead from another. Empty and null count alike. */
export interface LeadIdentity {
  readonly lead_type: string;
  readonly booking_no: string | null;
  readonly phone: string;
  readonly name: string;
  readonly store: string;
  /** The day of the visit, for leads that come from files. */
  readonly enquiry_date: string | null;
}

/** The types of leads that come from files: each visit is a lead of its own. */
const OF_VISITS = new Set(['enquiry', 'lossOfSale']);

/**
 * The key of a lead: booking number, phone and type; without a booking number phone, name, type and store. For a
 * visit its day belongs to the latter. PostgreSQL makes the same of rows that come without a key
 * (`rentals.lead_key` in 0005_rentals.sql).
 */
export function leadKey({ lead_type, booking_no, phone, name, store, enquiry_date }: LeadIdentity): string {
  if (OF_VISITS.has(lead_type)) {
    return ['visit', phone, folded(name), folded(store), lead_type, enquiry_date ?? ''].join('|');
  }
  if (booking_no) return ['booking', folded(booking_no), phone, lead_type].join('|');
  return ['person', phone, folded(name), lead_type, folded(store)].join('|');
}

/** As it is compared: trimmed, single-spaced, without case. A bar would end the part early. */
const folded = (text: string): string =>
  text.trim().replaceAll(/\s+/g, ' ').toLowerCase().replaceAll('|', '¦');
