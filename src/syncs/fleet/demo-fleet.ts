import { DEMO_MAKES } from './demo-makes.ts';
import { DEMO_OFFICES } from './demo-offices.ts';
import type { DemoOffice } from './demo-offices.ts';
import { fraction, hash, pick } from './demo-random.ts';
import { demoVin } from './demo-vin.ts';
import { lifeOf } from './demo-world.ts';
import type { DemoWorld, RowLife } from './demo-world.ts';

const FIRST_NAMES = (
  'Aaliyah Adam Alicia Andre Anita Ben Bianca Carlos Carmen Chloe Daniel Darius Deborah Dmitri Elena Emma Farid ' +
  'Fiona Grace Hannah Hassan Imani Isaac Jasmine Javier Joan Kenji Kira Laura Leo Lin Maria Marcus Mei Miguel ' +
  'Monica Nadia Noah Olivia Omar Paul Priya Quinn Rafael Rosa Ruth Sam Sofia Tariq Theo Uma Victor Wendy Xavier Yuki Zoe'
).split(' ');
const LAST_NAMES = (
  'Abbott Alvarez Baker Banerjee Bell Brooks Castillo Chen Cohen Cruz Davis Diaz Edwards Evans Fischer Flores ' +
  'Foster Garcia Gomez Gupta Hall Harris Hughes Ibrahim Ito Jackson Jensen Kaplan Kelly Kim Lee Lewis Lopez Martin ' +
  "Mensah Miller Morgan Nguyen Novak O'Brien Okafor Olsen Park Patel Perez Price Quintero Ramos Reed Rossi Santos " +
  'Schmidt Shah Silva Singh Stewart Tanaka Taylor Torres Turner Vance Vargas Walker Wang White Wilson Wright Young Zhang'
).split(' ');
const STREETS = (
  'Adams Ash Birch Bridge Brook Cedar Center Cherry Chestnut Church Clark Dogwood Elm Franklin Garden Grove High ' +
  'Highland Hill Jackson Jefferson Juniper Lake Laurel Lincoln Locust Madison Magnolia Main Maple Market Meadow Mill ' +
  'Oak Orchard Park Pine Poplar Prospect Ridge River Spring Sunset Sycamore Valley Walnut Washington Willow'
).split(' ');
const STREET_ENDINGS = ['St', 'Ave', 'Blvd', 'Dr', 'Ln', 'Way', 'Ct', 'Pl'];
const AFFILIATIONS = (
  'Auto Weekly,Motor Journal,Road Notes,Drive Digest,Family Wheels,Garage Radio,Green Miles,Off-Road Monthly,' +
  'City Car Podcast,Sports Car Review,Weekend Traveler,Truck Report,Luxury Living,EV Observer,Morning Show,Daily Herald'
)
  .split(',')
  .map((name) => `Demo ${name}`);

/** Kinds of draws, so that no two of them share a random number. */
const PARTNER = 101;
const VEHICLE = 102;

export interface DemoPartner {
  readonly personId: number;
  readonly name: string;
  /** Text as in the export: blank or 'N/A' for 30 of 592. */
  readonly address: string;
  readonly office: DemoOffice;
  readonly affiliation: string;
  /** 0 is Monday. */
  readonly preferredWeekday: number;
  /** The share of loans that start on the preferred weekday on purpose, 0 to 1. */
  readonly weekdayLoyalty: number;
  readonly life: RowLife;
}

/** The partner at a place of the export; the same one until the place gets a new generation. */
export function partnerAt(world: DemoWorld, index: number): DemoPartner {
  const life = lifeOf(world, 'media_partners', index);
  const identity = hash(world.seed, PARTNER, index, life.generation);
  const draw = (kind: number): number => hash(identity, kind);
  const office = pick(DEMO_OFFICES, draw(1));
  const city = pick(office.cities, draw(2));
  const street = `${pick(STREETS, draw(3))} ${pick(STREET_ENDINGS, draw(4))}`;
  const address = `${100 + (draw(5) % 9_800)} ${street}, ${city.city}, ${city.state} ${pick(city.zips, draw(6))}`;
  return {
    personId: 1_000 + index + life.generation * world.rows.media_partners,
    name: `${pick(FIRST_NAMES, draw(7))} ${pick(LAST_NAMES, draw(8))}`,
    address: addressless(index) ? pick(['', 'N/A', ' '], draw(9)) : address,
    office,
    affiliation: pick(AFFILIATIONS, draw(10)),
    preferredWeekday: draw(11) % 5,
    weekdayLoyalty: fraction(identity, 12) * 0.9,
    life,
  };
}

/** 30 in every 592 places, spread out: 231 has no common factor with 592. */
const addressless = (index: number): boolean => (index * 231) % 592 < 30;

export interface DemoVehicle {
  readonly vehicleId: number;
  readonly vin: string;
  readonly year: number;
  readonly make: string;
  readonly model: string;
  readonly short: string;
  readonly office: DemoOffice;
  /** Days since night 0, negative before it. */
  readonly inServiceDay: number;
  /** For further facts about the same car. */
  readonly identity: number;
  readonly life: RowLife;
}

/** The vehicle at a place of the export; the same one until the place gets a new generation. */
export function vehicleAt(world: DemoWorld, index: number): DemoVehicle {
  const life = lifeOf(world, 'vehicles', index);
  const identity = hash(world.seed, VEHICLE, index, life.generation);
  const draw = (kind: number): number => hash(identity, kind);
  const { make, vinPrefix, models } = pick(DEMO_MAKES, draw(1));
  const { model, short } = pick(models, draw(2));
  const inServiceDay = life.generation === 0 ? -30 - (draw(3) % 730) : life.since;
  const year = 2026 + Math.floor((inServiceDay + 120) / 365);
  return {
    vehicleId: 20_000 + index + life.generation * world.rows.vehicles,
    vin: demoVin(vinPrefix, draw(4), year, index, life.generation),
    year,
    make,
    model,
    short,
    office: pick(DEMO_OFFICES, draw(5)),
    inServiceDay,
    identity,
    life,
  };
}
