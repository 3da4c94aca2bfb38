/** One office of the fleet: the region its partners live in and some real cities and ZIP codes of it. */
export interface DemoOffice {
  readonly office: string;
  readonly region: string;
  readonly cities: readonly {
    readonly city: string;
    readonly state: string;
    readonly zips: readonly string[];
  }[];
}

/**
 * Cities and ZIP codes from GeoNames postal codes (https://www.geonames.org), CC BY 4.0. A test finds every
 * one of them in that data.
 */
export const DEMO_OFFICES: readonly DemoOffice[] = [
  {
    office: 'Los Angeles',
    region: 'Southern California',
    cities: [
      {
        city: 'Los Angeles',
        state: 'CA',
        zips: ['90001', '90008', '90016', '90023', '90031', '90038', '90045', '90058'],
      },
      { city: 'Pasadena', state: 'CA', zips: ['91101', '91103', '91104', '91105'] },
      { city: 'Burbank', state: 'CA', zips: ['91501', '91502', '91504', '91505'] },
      { city: 'Santa Monica', state: 'CA', zips: ['90401', '90402', '90403', '90404'] },
      { city: 'Long Beach', state: 'CA', zips: ['90802', '90805', '90808', '90814'] },
      { city: 'Torrance', state: 'CA', zips: ['90501', '90502', '90503', '90504'] },
      { city: 'Irvine', state: 'CA', zips: ['92602', '92606', '92616', '92619'] },
      { city: 'San Diego', state: 'CA', zips: ['92101', '92111', '92123', '92136'] },
    ],
  },
  {
    office: 'Atlanta',
    region: 'Southeast',
    cities: [
      {
        city: 'Atlanta',
        state: 'GA',
        zips: ['30303', '30307', '30311', '30315', '30320', '30328', '30336', '30342'],
      },
      { city: 'Marietta', state: 'GA', zips: ['30006', '30060', '30062', '30064'] },
      { city: 'Decatur', state: 'GA', zips: ['30030', '30032', '30033', '30034'] },
      { city: 'Alpharetta', state: 'GA', zips: ['30004', '30005', '30009', '30022'] },
      { city: 'Charlotte', state: 'NC', zips: ['28202', '28210', '28223', '28270'] },
      { city: 'Nashville', state: 'TN', zips: ['37201', '37207', '37213', '37219'] },
      { city: 'Birmingham', state: 'AL', zips: ['35203', '35210', '35217', '35228'] },
    ],
  },
  {
    office: 'Chicago',
    region: 'Midwest',
    cities: [
      {
        city: 'Chicago',
        state: 'IL',
        zips: ['60601', '60608', '60615', '60622', '60630', '60638', '60645', '60654'],
      },
      { city: 'Evanston', state: 'IL', zips: ['60201', '60202', '60203', '60204'] },
      { city: 'Naperville', state: 'IL', zips: ['60540', '60563', '60564', '60565'] },
      { city: 'Oak Park', state: 'IL', zips: ['60301', '60302', '60303', '60304'] },
      { city: 'Milwaukee', state: 'WI', zips: ['53202', '53211', '53220', '53233'] },
      { city: 'Madison', state: 'WI', zips: ['53703', '53711', '53716', '53774'] },
      { city: 'Indianapolis', state: 'IN', zips: ['46201', '46217', '46228', '46249'] },
    ],
  },
  {
    office: 'Dallas',
    region: 'Texas',
    cities: [
      {
        city: 'Dallas',
        state: 'TX',
        zips: ['75201', '75207', '75214', '75220', '75227', '75233', '75240', '75248'],
      },
      { city: 'Fort Worth', state: 'TX', zips: ['76102', '76110', '76120', '76137'] },
      { city: 'Plano', state: 'TX', zips: ['75023', '75024', '75025', '75074'] },
      { city: 'Irving', state: 'TX', zips: ['75038', '75039', '75061', '75062'] },
      { city: 'Frisco', state: 'TX', zips: ['75033', '75034', '75035', '75036'] },
      { city: 'Austin', state: 'TX', zips: ['78701', '78723', '78735', '78749'] },
      { city: 'Houston', state: 'TX', zips: ['77001', '77025', '77049', '77074'] },
    ],
  },
  {
    office: 'Denver',
    region: 'Mountain',
    cities: [
      {
        city: 'Denver',
        state: 'CO',
        zips: ['80201', '80207', '80215', '80222', '80228', '80234', '80247', '80262'],
      },
      { city: 'Aurora', state: 'CO', zips: ['80011', '80019', '80045'] },
      { city: 'Boulder', state: 'CO', zips: ['80301', '80302', '80303', '80304'] },
      { city: 'Littleton', state: 'CO', zips: ['80120', '80123', '80127', '80130'] },
      { city: 'Golden', state: 'CO', zips: ['80401', '80402', '80403', '80419'] },
      { city: 'Colorado Springs', state: 'CO', zips: ['80902', '80909', '80917', '80924'] },
      { city: 'Fort Collins', state: 'CO', zips: ['80521', '80522', '80524', '80525'] },
    ],
  },
  {
    office: 'Miami',
    region: 'Florida',
    cities: [
      {
        city: 'Miami',
        state: 'FL',
        zips: ['33101', '33129', '33136', '33146', '33156', '33166', '33175', '33182'],
      },
      { city: 'Miami Beach', state: 'FL', zips: ['33109', '33119', '33139', '33140'] },
      { city: 'Fort Lauderdale', state: 'FL', zips: ['33301', '33312', '33321', '33331'] },
      { city: 'Hollywood', state: 'FL', zips: ['33019', '33021', '33023', '33025'] },
      { city: 'Boca Raton', state: 'FL', zips: ['33427', '33431', '33433', '33486'] },
      { city: 'Orlando', state: 'FL', zips: ['32801', '32811', '32824', '32833'] },
      { city: 'Tampa', state: 'FL', zips: ['33601', '33609', '33616', '33625'] },
    ],
  },
  {
    office: 'New York',
    region: 'Northeast',
    cities: [
      {
        city: 'New York',
        state: 'NY',
        zips: ['10001', '10013', '10024', '10034', '10065', '10115', '10154', '10171'],
      },
      { city: 'Brooklyn', state: 'NY', zips: ['11201', '11211', '11220', '11230'] },
      { city: 'Yonkers', state: 'NY', zips: ['10701', '10702', '10703', '10704'] },
      { city: 'White Plains', state: 'NY', zips: ['10601', '10602', '10603', '10605'] },
      { city: 'Jersey City', state: 'NJ', zips: ['07302', '07304', '07305', '07306'] },
      { city: 'Hoboken', state: 'NJ', zips: ['07030'] },
      { city: 'Stamford', state: 'CT', zips: ['06901', '06903', '06906', '06910'] },
    ],
  },
  {
    office: 'Phoenix',
    region: 'Southwest',
    cities: [
      {
        city: 'Phoenix',
        state: 'AZ',
        zips: ['85003', '85009', '85016', '85021', '85028', '85034', '85042', '85050'],
      },
      { city: 'Scottsdale', state: 'AZ', zips: ['85250', '85254', '85257', '85260'] },
      { city: 'Tempe', state: 'AZ', zips: ['85280', '85282', '85284', '85287'] },
      { city: 'Mesa', state: 'AZ', zips: ['85201', '85204', '85207', '85210'] },
      { city: 'Chandler', state: 'AZ', zips: ['85224', '85226', '85246', '85249'] },
      { city: 'Tucson', state: 'AZ', zips: ['85701', '85712', '85726', '85743'] },
      { city: 'Las Vegas', state: 'NV', zips: ['89101', '89115', '89130', '89145'] },
    ],
  },
  {
    office: 'San Francisco',
    region: 'Northern California',
    cities: [
      {
        city: 'San Francisco',
        state: 'CA',
        zips: ['94102', '94105', '94109', '94112', '94116', '94121', '94124', '94130'],
      },
      { city: 'Oakland', state: 'CA', zips: ['94601', '94606', '94611', '94615'] },
      { city: 'Berkeley', state: 'CA', zips: ['94701', '94703', '94705', '94708'] },
      { city: 'San Mateo', state: 'CA', zips: ['94401', '94402', '94403', '94404'] },
      { city: 'Palo Alto', state: 'CA', zips: ['94301', '94303', '94304', '94306'] },
      { city: 'San Jose', state: 'CA', zips: ['95110', '95123', '95134', '95155'] },
      { city: 'Sacramento', state: 'CA', zips: ['95811', '95820', '95828', '95836'] },
    ],
  },
  {
    office: 'Seattle',
    region: 'Pacific Northwest',
    cities: [
      {
        city: 'Seattle',
        state: 'WA',
        zips: ['98101', '98106', '98113', '98119', '98127', '98141', '98158', '98177'],
      },
      { city: 'Bellevue', state: 'WA', zips: ['98004', '98005', '98006', '98007'] },
      { city: 'Redmond', state: 'WA', zips: ['98052', '98053', '98073'] },
      { city: 'Kirkland', state: 'WA', zips: ['98033', '98034', '98083'] },
      { city: 'Tacoma', state: 'WA', zips: ['98401', '98406', '98418', '98443'] },
      { city: 'Renton', state: 'WA', zips: ['98055', '98056', '98057', '98058'] },
      { city: 'Portland', state: 'OR', zips: ['97201', '97211', '97219', '97229'] },
    ],
  },
];
