/** One make: how its VINs begin (the world manufacturer identifier) and some of its US models. */
export interface DemoMake {
  readonly make: string;
  readonly vinPrefix: string;
  readonly models: readonly { readonly short: string; readonly model: string }[];
}

export const DEMO_MAKES: readonly DemoMake[] = [
  {
    make: 'Acura',
    vinPrefix: '19U',
    models: [
      { short: 'Integra', model: 'Integra A-Spec' },
      { short: 'MDX', model: 'MDX SH-AWD Advance' },
      { short: 'RDX', model: 'RDX A-Spec' },
    ],
  },
  {
    make: 'Alfa Romeo',
    vinPrefix: 'ZAR',
    models: [
      { short: 'Giulia', model: 'Giulia Veloce AWD' },
      { short: 'Stelvio', model: 'Stelvio Ti AWD' },
      { short: 'Tonale', model: 'Tonale Sprint' },
    ],
  },
  {
    make: 'Audi',
    vinPrefix: 'WAU',
    models: [
      { short: 'A4', model: 'A4 45 TFSI quattro' },
      { short: 'Q5', model: 'Q5 45 Premium Plus' },
      { short: 'e-tron GT', model: 'S e-tron GT' },
    ],
  },
  {
    make: 'BMW',
    vinPrefix: 'WBA',
    models: [
      { short: '330i', model: '330i xDrive Sedan' },
      { short: 'X3', model: 'X3 30 xDrive' },
      { short: 'i4', model: 'i4 eDrive40' },
    ],
  },
  {
    make: 'Buick',
    vinPrefix: 'KL4',
    models: [
      { short: 'Enclave', model: 'Enclave Avenir AWD' },
      { short: 'Encore GX', model: 'Encore GX Sport Touring' },
      { short: 'Envista', model: 'Envista Avenir' },
    ],
  },
  {
    make: 'Cadillac',
    vinPrefix: '1G6',
    models: [
      { short: 'CT5', model: 'CT5 Premium Luxury' },
      { short: 'Escalade', model: 'Escalade Sport Platinum' },
      { short: 'Lyriq', model: 'Lyriq Sport AWD' },
    ],
  },
  {
    make: 'Chevrolet',
    vinPrefix: '1G1',
    models: [
      { short: 'Corvette', model: 'Corvette E-Ray 3LZ' },
      { short: 'Equinox EV', model: 'Equinox EV RS' },
      { short: 'Silverado', model: 'Silverado 1500 ZR2' },
    ],
  },
  {
    make: 'Chrysler',
    vinPrefix: '2C4',
    models: [
      { short: 'Pacifica', model: 'Pacifica Pinnacle AWD' },
      { short: 'Pacifica Hybrid', model: 'Pacifica Hybrid Select' },
    ],
  },
  {
    make: 'Dodge',
    vinPrefix: '2C3',
    models: [
      { short: 'Charger', model: 'Charger Daytona Scat Pack' },
      { short: 'Durango', model: 'Durango R/T Plus' },
      { short: 'Hornet', model: 'Hornet R/T' },
    ],
  },
  {
    make: 'Ford',
    vinPrefix: '1FA',
    models: [
      { short: 'Bronco', model: 'Bronco Badlands 4-Door' },
      { short: 'F-150', model: 'F-150 Lightning Platinum' },
      { short: 'Mustang', model: 'Mustang GT Premium' },
    ],
  },
  {
    make: 'Genesis',
    vinPrefix: 'KMT',
    models: [
      { short: 'G70', model: 'G70 3.3T Sport' },
      { short: 'GV70', model: 'GV70 2.5T AWD' },
      { short: 'GV80', model: 'GV80 Coupe 3.5T' },
    ],
  },
  {
    make: 'GMC',
    vinPrefix: '1GK',
    models: [
      { short: 'Acadia', model: 'Acadia AT4' },
      { short: 'Sierra', model: 'Sierra 1500 Denali' },
      { short: 'Yukon', model: 'Yukon Denali Ultimate' },
    ],
  },
  {
    make: 'Honda',
    vinPrefix: '1HG',
    models: [
      { short: 'Accord', model: 'Accord Hybrid Touring' },
      { short: 'Civic', model: 'Civic Sport Touring Hybrid' },
      { short: 'Prologue', model: 'Prologue Elite AWD' },
    ],
  },
  {
    make: 'Hyundai',
    vinPrefix: 'KMH',
    models: [
      { short: 'Elantra', model: 'Elantra N' },
      { short: 'Ioniq 5', model: 'Ioniq 5 Limited AWD' },
      { short: 'Tucson', model: 'Tucson Hybrid Limited' },
    ],
  },
  {
    make: 'INFINITI',
    vinPrefix: '5N1',
    models: [
      { short: 'QX60', model: 'QX60 Autograph AWD' },
      { short: 'QX80', model: 'QX80 Sensory 4WD' },
    ],
  },
  {
    make: 'Jaguar',
    vinPrefix: 'SAD',
    models: [
      { short: 'F-Pace', model: 'F-Pace P400 R-Dynamic' },
      { short: 'I-Pace', model: 'I-Pace R-Dynamic HSE' },
    ],
  },
  {
    make: 'Jeep',
    vinPrefix: '1C4',
    models: [
      { short: 'Grand Cherokee', model: 'Grand Cherokee Summit 4xe' },
      { short: 'Wagoneer S', model: 'Wagoneer S Launch Edition' },
      { short: 'Wrangler', model: 'Wrangler Rubicon 392' },
    ],
  },
  {
    make: 'Kia',
    vinPrefix: 'KND',
    models: [
      { short: 'EV9', model: 'EV9 GT-Line' },
      { short: 'Sorento', model: 'Sorento X-Pro SX Prestige' },
      { short: 'Telluride', model: 'Telluride X-Line' },
    ],
  },
  {
    make: 'Land Rover',
    vinPrefix: 'SAL',
    models: [
      { short: 'Defender', model: 'Defender 110 P400' },
      { short: 'Discovery', model: 'Discovery Dynamic HSE' },
      { short: 'Range Rover', model: 'Range Rover Sport P460e' },
    ],
  },
  {
    make: 'Lexus',
    vinPrefix: 'JTH',
    models: [
      { short: 'ES', model: 'ES 300h Luxury' },
      { short: 'NX', model: 'NX 450h+ F Sport' },
      { short: 'TX', model: 'TX 500h F Sport' },
    ],
  },
  {
    make: 'Lincoln',
    vinPrefix: '5LM',
    models: [
      { short: 'Aviator', model: 'Aviator Black Label' },
      { short: 'Nautilus', model: 'Nautilus Hybrid Reserve' },
      { short: 'Navigator', model: 'Navigator L Reserve' },
    ],
  },
  {
    make: 'Lucid',
    vinPrefix: '50E',
    models: [
      { short: 'Air', model: 'Air Grand Touring' },
      { short: 'Gravity', model: 'Gravity Grand Touring' },
    ],
  },
  {
    make: 'Maserati',
    vinPrefix: 'ZAM',
    models: [
      { short: 'Grecale', model: 'Grecale Trofeo' },
      { short: 'GranTurismo', model: 'GranTurismo Modena' },
    ],
  },
  {
    make: 'Mazda',
    vinPrefix: 'JM3',
    models: [
      { short: 'CX-50', model: 'CX-50 Turbo Meridian' },
      { short: 'CX-90', model: 'CX-90 PHEV Premium Plus' },
      { short: 'MX-5', model: 'MX-5 Miata Club' },
    ],
  },
  {
    make: 'Mercedes-Benz',
    vinPrefix: 'W1K',
    models: [
      { short: 'C-Class', model: 'C 300 4MATIC Sedan' },
      { short: 'EQS', model: 'EQS 450+ SUV' },
      { short: 'GLE', model: 'GLE 450e 4MATIC' },
    ],
  },
  {
    make: 'MINI',
    vinPrefix: 'WMW',
    models: [
      { short: 'Cooper', model: 'Cooper S 2 Door' },
      { short: 'Countryman', model: 'Countryman John Cooper Works' },
    ],
  },
  {
    make: 'Mitsubishi',
    vinPrefix: 'JA4',
    models: [
      { short: 'Eclipse Cross', model: 'Eclipse Cross SEL' },
      { short: 'Outlander', model: 'Outlander PHEV SEL Black Edition' },
    ],
  },
  {
    make: 'Nissan',
    vinPrefix: '1N4',
    models: [
      { short: 'Altima', model: 'Altima SL AWD' },
      { short: 'Ariya', model: 'Ariya Platinum+ e-4ORCE' },
      { short: 'Rogue', model: 'Rogue Rock Creek' },
    ],
  },
  {
    make: 'Polestar',
    vinPrefix: 'YSM',
    models: [
      { short: 'Polestar 2', model: 'Polestar 2 Long Range Dual Motor' },
      { short: 'Polestar 3', model: 'Polestar 3 Performance' },
    ],
  },
  {
    make: 'Porsche',
    vinPrefix: 'WP0',
    models: [
      { short: '911', model: '911 Carrera GTS' },
      { short: 'Macan', model: 'Macan 4 Electric' },
      { short: 'Taycan', model: 'Taycan 4S' },
    ],
  },
  {
    make: 'Ram',
    vinPrefix: '1C6',
    models: [
      { short: '1500', model: '1500 RHO Crew Cab' },
      { short: '2500', model: '2500 Rebel Crew Cab' },
    ],
  },
  {
    make: 'Rivian',
    vinPrefix: '7FC',
    models: [
      { short: 'R1S', model: 'R1S Dual Max' },
      { short: 'R1T', model: 'R1T Tri Max' },
    ],
  },
  {
    make: 'Subaru',
    vinPrefix: '4S4',
    models: [
      { short: 'Crosstrek', model: 'Crosstrek Wilderness' },
      { short: 'Outback', model: 'Outback Touring XT' },
      { short: 'WRX', model: 'WRX tS' },
    ],
  },
  {
    make: 'Toyota',
    vinPrefix: '4T1',
    models: [
      { short: 'Camry', model: 'Camry XSE AWD' },
      { short: 'Grand Highlander', model: 'Grand Highlander Hybrid Max' },
      { short: 'Tacoma', model: 'Tacoma TRD Pro' },
    ],
  },
  {
    make: 'Volkswagen',
    vinPrefix: '1V2',
    models: [
      { short: 'Atlas', model: 'Atlas SEL Premium R-Line' },
      { short: 'GTI', model: 'Golf GTI Autobahn' },
      { short: 'ID. Buzz', model: 'ID. Buzz Pro S Plus' },
    ],
  },
  {
    make: 'Volvo',
    vinPrefix: 'YV4',
    models: [
      { short: 'EX90', model: 'EX90 Twin Motor Ultra' },
      { short: 'XC60', model: 'XC60 T8 Polestar Engineered' },
      { short: 'XC90', model: 'XC90 B6 Ultra' },
    ],
  },
];
