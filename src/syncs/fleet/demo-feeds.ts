import { mixedDate, idText, mondayOf, monthYear, slashDate, vinText, withCommas } from './demo-format.ts';
import { partnerAt, vehicleAt } from './demo-fleet.ts';
import { DEMO_MAKES } from './demo-makes.ts';
import { DEMO_OFFICES } from './demo-offices.ts';
import { fraction, hash, pick } from './demo-random.ts';
import { lastingRow, lastingRows, lifeOf } from './demo-world.ts';
import type { DemoWorld, FleetFeed } from './demo-world.ts';

export interface DemoFeed {
  /** The header that the real exports leave out. */
  readonly columns: readonly string[];
  /** The cells of the row at a place of the export, before quoting. */
  cells(world: DemoWorld, index: number): string[];
  /** A row that breaks a rule of this feed and says so where it can. */
  badCells(number: number): string[];
}

const COLORS = ['Black', 'White', 'Silver', 'Gray', 'Red', 'Blue', 'Green', 'Orange', 'Bronze', 'Yellow'];
const RANKS = ['A+', 'A', 'B', 'C', 'Pending'];
const BUDGET_FLEETS = [
  'VW',
  'Chevy',
  'Toyota',
  'Honda',
  'Ford',
  'Mazda',
  'Kia',
  'Volvo',
  'Subaru',
  'Genesis',
];
const QUARTERS = [
  ['2,025', 'Q3'],
  ['2,025', 'q4'],
  ['2,026', 'Q1'],
  ['2,026', 'Q2'],
] as const;

/** Kinds of draws, so that no two of them share a random number. */
const LOAN = 201;
const ACTIVITY = 202;
const APPROVAL = 203;
const BUDGET = 204;

const vehicles: DemoFeed = {
  columns: [
    'vehicle_id',
    'Year',
    'Make',
    'Model',
    'Model Short Name',
    'Office',
    'VIN',
    'Fleet',
    'Registration Exp',
    'Insurance Exp',
    'Current Mileage',
    'In Service Date',
    'Expected Turn In Date',
    'Notes',
    'Color',
  ],
  cells(world, index) {
    const vehicle = vehicleAt(world, index);
    const draw = (kind: number): number => hash(vehicle.identity, kind);
    const renewals = vehicle.life.version - vehicle.life.generation;
    const checkedDay = Math.max(vehicle.inServiceDay, 0);
    const mileage = 120 + (draw(20) % 14_000) + renewals * (350 + (draw(21) % 900));
    return [
      String(vehicle.vehicleId),
      String(vehicle.year),
      vehicle.make,
      vehicle.model,
      vehicle.short,
      vehicle.office.office,
      vinText(vehicle.vin, draw(22)),
      vehicle.make,
      draw(23) % 30 === 0 ? '' : slashDate(checkedDay + 30 + (draw(24) % 335), draw(25)),
      slashDate(checkedDay + 90 + (draw(33) % 275), draw(26)),
      withCommas(mileage),
      monthYear(vehicle.inServiceDay),
      draw(27) % 25 === 0 ? '' : mixedDate(vehicle.inServiceDay + 800 + (draw(28) % 200), draw(29)),
      draw(30) % 9 === 0 ? `Demo data: "${pick(COLORS, draw(31))}" floor mats, spare key at the desk` : '',
      pick(COLORS, draw(32)),
    ];
  },
  badCells: (number) => {
    const label = `Demo data: bad on purpose (${number}), the VIN is missing`;
    return ['', '2026', 'Demo', 'Demo', 'Demo', 'Denver', '', 'Demo', '', '', '', '', '', label, ''];
  },
};

const mediaPartners: DemoFeed = {
  columns: [
    'Person_ID',
    'Name',
    'Address',
    'Office',
    'Default loan region',
    'Notes / Instructions',
    'Affiliation',
    'Activity_Type_Subcategory_ID',
  ],
  cells(world, index) {
    const partner = partnerAt(world, index);
    const { version, generation, since } = partner.life;
    const draw = (kind: number): number => hash(world.seed, partner.personId, kind);
    const wish = draw(1) % 5 === 0 ? 'Demo data: says "call first", no deliveries after 5 pm' : '';
    const reviewed =
      version === generation ? '' : `Demo data: profile reviewed, ${slashDate(since, 1)} (${version})`;
    return [
      idText(partner.personId, draw(2)),
      partner.name,
      partner.address,
      partner.office.office,
      partner.office.region,
      reviewed === '' ? wish : reviewed,
      partner.affiliation,
      String(1 + (draw(3) % 12)),
    ];
  },
  badCells: (number) => {
    const label = `Demo data: bad on purpose (${number}), the name is missing`;
    return [`BAD-${number}`, '', '', 'Denver', 'Mountain', label, 'Demo', '1'];
  },
};

const loanHistory: DemoFeed = {
  columns: [
    'Activity_ID',
    'VIN',
    'Person_ID',
    'Make',
    'Model',
    'Year',
    'Model_Short_Name',
    'Start_Date',
    'End_Date',
    'Clips_Received',
    'Office',
    'Name',
    'Partner_Address',
    'Region',
  ],
  cells(world, index) {
    const { version, generation, since } = lifeOf(world, 'loan_history', index);
    const identity = hash(world.seed, LOAN, index, generation);
    const draw = (kind: number): number => hash(identity, kind);
    const partner = lastingPartner(world, draw(1));
    const vehicle = lastingVehicle(world, draw(2));
    const office = draw(3) % 20 === 0 ? pick(DEMO_OFFICES, draw(4)) : partner.office;
    const weekday = fraction(identity, 5) < partner.weekdayLoyalty ? partner.preferredWeekday : draw(6) % 5;
    // No loan before its car was in service, none later than the night that first shows it.
    const weeks = Math.floor(-vehicle.inServiceDay / 7) - 1;
    const shownDay = generation === 0 ? -7 * (draw(7) % weeks) : since;
    const startDay = mondayOf(shownDay - 7) + weekday;
    return [
      idText(100_000 + index + generation * world.rows.loan_history, draw(8)),
      vinText(vehicle.vin, draw(9)),
      idText(partner.personId, draw(10)),
      vehicle.make,
      vehicle.model,
      String(vehicle.year),
      vehicle.short,
      mixedDate(startDay, draw(11)),
      mixedDate(startDay + 4 + (draw(12) % 10), draw(13)),
      String((draw(14) % 3) + version - generation),
      office.office,
      partner.name,
      partner.address,
      office.region,
    ];
  },
  badCells: (number) => {
    const label = `Demo data: bad on purpose (${number}), no such date`;
    const car = ['Demo', 'Demo', '2026', 'Demo'];
    return [
      `BAD-${number}`,
      `DEMOVIN${number}`,
      '1',
      ...car,
      '13-45-26',
      '13-46-26',
      '0',
      'Denver',
      label,
      '',
      '',
    ];
  },
};

const currentActivity: DemoFeed = {
  columns: [
    'Activity_ID',
    'Person_ID',
    'Vehicle_VIN',
    'Activity_Type',
    'Start_Date',
    'End_Date',
    'To',
    'Partner_Address',
    'Region',
  ],
  cells(world, index) {
    const { generation, since } = lifeOf(world, 'current_activity', index);
    const identity = hash(world.seed, ACTIVITY, index, generation);
    const draw = (kind: number): number => hash(identity, kind);
    const partner = lastingPartner(world, draw(1));
    const vehicle = lastingVehicle(world, draw(2));
    const type = pick(['Media Loan', 'Media Loan', 'Media Loan', 'Media Loan', 'Hold', 'Event'], draw(3));
    const { office, region } = vehicle.office;
    const startDay = since + (draw(4) % 10);
    const loan = type === 'Media Loan';
    const place = type === 'Hold' ? `Demo hold for service, ${office}` : `Demo drive day, ${office}`;
    return [
      idText(50_000_000 + index + generation * world.rows.current_activity, draw(5)),
      loan ? idText(partner.personId, draw(6)) : '',
      vinText(vehicle.vin, draw(7)),
      type,
      mixedDate(startDay, draw(8)),
      mixedDate(startDay + 3 + (draw(9) % 10), draw(10)),
      loan ? partner.name : place,
      loan ? partner.address : '',
      loan ? partner.office.region : region,
    ];
  },
  badCells: (number) => {
    const label = `Demo data: bad on purpose (${number}), no activity type`;
    return [`BAD-${number}`, '', `DEMOVIN${number}`, '', '01-05-26', '01-09-26', label, '', 'Mountain'];
  },
};

const approvedMakes: DemoFeed = {
  columns: ['Person_ID', 'Name', 'Make', 'Rank'],
  cells(world, index) {
    const { version, generation } = lifeOf(world, 'approved_makes', index);
    // Every lasting partner gets a first make, then every one a second, ...: no pair comes twice.
    const partners = lastingRows(world, 'media_partners');
    const round = Math.floor(index / partners);
    const rounds = Math.ceil(world.rows.approved_makes / partners);
    const choices = Math.floor(DEMO_MAKES.length / rounds);
    const partner = partnerAt(world, lastingRow('media_partners', index % partners));
    const first = hash(world.seed, APPROVAL, partner.personId);
    const draw = (kind: number): number => hash(world.seed, APPROVAL, index, kind);
    return [
      idText(partner.personId, draw(1)),
      partner.name,
      pick(DEMO_MAKES, (first % DEMO_MAKES.length) + round + rounds * (generation % choices)).make,
      pick(RANKS, (draw(2) % RANKS.length) + version),
    ];
  },
  badCells: (number) => [`BAD-${number}`, 'Demo data: bad on purpose, no such rank', 'Demo', 'Z'],
};

const budgetSpending: DemoFeed = {
  columns: ['fleet', 'office', 'year', 'quarter', 'amount_used'],
  cells(world, index) {
    const { version } = lifeOf(world, 'budget_spending', index);
    const place = Math.floor(index / QUARTERS.length);
    const { office } = pick(DEMO_OFFICES, place);
    const fleet = pick(
      BUDGET_FLEETS,
      (place % DEMO_OFFICES.length) + 3 * Math.floor(place / DEMO_OFFICES.length),
    );
    const [year, quarter] = pick(QUARTERS, index);
    const draw = (kind: number): number => hash(world.seed, BUDGET, index, kind);
    const cents = 150_000 + (draw(1) % 4_000_000) + version * (7_500 + (draw(2) % 90_000));
    return [fleet, office, year, quarter, (cents / 100).toFixed(2)];
  },
  badCells: (number) => [`Demo data: bad on purpose (${number})`, 'Denver', 'no year', 'Q1', '0.00'],
};

const lastingPartner = (world: DemoWorld, number: number) =>
  partnerAt(world, lastingRow('media_partners', number % lastingRows(world, 'media_partners')));

const lastingVehicle = (world: DemoWorld, number: number) =>
  vehicleAt(world, lastingRow('vehicles', number % lastingRows(world, 'vehicles')));

export const DEMO_FEEDS: Readonly<Record<FleetFeed, DemoFeed>> = {
  vehicles,
  media_partners: mediaPartners,
  loan_history: loanHistory,
  current_activity: currentActivity,
  approved_makes: approvedMakes,
  budget_spending: budgetSpending,
};
