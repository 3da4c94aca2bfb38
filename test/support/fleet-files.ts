/** Small exports of every fleet table, in the order of their columns and without a header row. */

export const FLEET_PATHS = {
  FMS_VEHICLES_CSV_URL: '/active_vehicles.rpt',
  FMS_PARTNERS_CSV_URL: '/media_partners.rpt',
  FMS_LOAN_HISTORY_CSV_URL: '/loan_history.rpt',
  FMS_CURRENT_ACTIVITY_CSV_URL: '/current_vehicle_activity.rpt',
  FMS_APPROVED_MAKES_CSV_URL: '/approved_makes.rpt',
} as const;

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index + 1)}\n`).join('');

export const vehicleLine = (index: number, color = 'Black'): string =>
  `${index},2025,Audi,Q5,Q5,Los Angeles,vin${String(index).padStart(4, '0')},Press,01/31/26,2/1/2027,"45,210",3/2024,12/31/26,"Clean, charged",${color}`;

export const partnerLine = (index: number, address = `${index} Main St, Los Angeles, CA 90012`): string =>
  `${index}.0,Partner ${index},"${address}",Los Angeles,West,,Magazine,3`;

export const loanLine = (index: number, partner = 1, start = '03-02-26'): string =>
  `L${index},vin0001,${partner},Audi,Q5,2025,Q5,${start},03-09-26,2,Los Angeles,Partner ${partner},"1 Main St, Los Angeles",West`;

export const activityLine = (index: number): string =>
  `A${index},,vin0001,Event,03/10/26,03/12/26,Someone,"1 Main St",West`;

export const makeLine = (index: number, rank = 'A+'): string => `${index},Partner ${index},Audi,${rank}`;

export const vehicleFile = (count: number): string => lines(count, (index) => vehicleLine(index));
export const partnerFile = (count: number): string => lines(count, (index) => partnerLine(index));
export const loanFile = (count: number): string => lines(count, (index) => loanLine(index));
export const activityFile = (count: number): string => lines(count, activityLine);
export const makeFile = (count: number): string => lines(count, (index) => makeLine(index));
