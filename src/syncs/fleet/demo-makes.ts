/** One make: how its VINs begin (the world manufacturer identifier) and some of its US models. */
export interface DemoMake {
  readonly make: string;
  readonly vinPrefix: string;
  readonly models: readonly { readonly short: string; readonly model: string }[];
}

/** A line is make, VIN prefix and models; a model is its short name, a plus sign and its trim. */
const MAKES = `
Acura, 19U, Integra + A-Spec, MDX + SH-AWD Advance, RDX + A-Spec
Alfa Romeo, ZAR, Giulia + Veloce AWD, Stelvio + Ti AWD, Tonale + Sprint
Audi, WAU, A4 + 45 TFSI quattro, Q5 + 45 Premium Plus, e-tron GT + Premium Plus
BMW, WBA, 330i + xDrive Sedan, X3 + 30 xDrive, i4 + eDrive40
Buick, KL4, Enclave + Avenir AWD, Encore GX + Sport Touring, Envista + Avenir
Cadillac, 1G6, CT5 + Premium Luxury, Escalade + Sport Platinum, Lyriq + Sport AWD
Chevrolet, 1G1, Corvette + E-Ray 3LZ, Equinox EV + RS, Silverado + 1500 ZR2
Chrysler, 2C4, Pacifica + Pinnacle AWD, Pacifica Hybrid + Select
Dodge, 2C3, Charger + Daytona Scat Pack, Durango + R/T Plus, Hornet + R/T
Ford, 1FA, Bronco + Badlands 4-Door, F-150 + Lightning Platinum, Mustang + GT Premium
Genesis, KMT, G70 + 3.3T Sport, GV70 + 2.5T AWD, GV80 + Coupe 3.5T
GMC, 1GK, Acadia + AT4, Sierra + 1500 Denali, Yukon + Denali Ultimate
Honda, 1HG, Accord + Hybrid Touring, Civic + Sport Touring Hybrid, Prologue + Elite AWD
Hyundai, KMH, Elantra + N, Ioniq 5 + Limited AWD, Tucson + Hybrid Limited
INFINITI, 5N1, QX60 + Autograph AWD, QX80 + Sensory 4WD
Jaguar, SAD, F-Pace + P400 R-Dynamic, I-Pace + R-Dynamic HSE
Jeep, 1C4, Grand Cherokee + Summit 4xe, Wagoneer S + Launch Edition, Wrangler + Rubicon 392
Kia, KND, EV9 + GT-Line, Sorento + X-Pro SX Prestige, Telluride + X-Line
Land Rover, SAL, Defender + 110 P400, Discovery + Dynamic HSE, Range Rover + Sport P460e
Lexus, JTH, ES + 300h Luxury, NX + 450h+ F Sport, TX + 500h F Sport
Lincoln, 5LM, Aviator + Black Label, Nautilus + Hybrid Reserve, Navigator + L Reserve
Lucid, 50E, Air + Grand Touring, Gravity + Grand Touring
Maserati, ZAM, Grecale + Trofeo, GranTurismo + Modena
Mazda, JM3, CX-50 + Turbo Meridian, CX-90 + PHEV Premium Plus, MX-5 + Miata Club
Mercedes-Benz, W1K, C-Class + C 300 4MATIC Sedan, EQS + 450+ SUV, GLE + 450e 4MATIC
MINI, WMW, Cooper + S 2 Door, Countryman + John Cooper Works
Mitsubishi, JA4, Eclipse Cross + SEL, Outlander + PHEV SEL Black Edition
Nissan, 1N4, Altima + SL AWD, Ariya + Platinum+ e-4ORCE, Rogue + Rock Creek
Polestar, YSM, Polestar 2 + Long Range Dual Motor, Polestar 3 + Performance
Porsche, WP0, 911 + Carrera GTS, Macan + 4 Electric, Taycan + 4S
Ram, 1C6, 1500 + RHO Crew Cab, 2500 + Rebel Crew Cab
Rivian, 7FC, R1S + Dual Max, R1T + Tri Max
Subaru, 4S4, Crosstrek + Wilderness, Outback + Touring XT, WRX + tS
Toyota, 4T1, Camry + XSE AWD, Grand Highlander + Hybrid Max, Tacoma + TRD Pro
Volkswagen, 1V2, Atlas + SEL Premium R-Line, Golf GTI + Autobahn, ID. Buzz + Pro S Plus
Volvo, YV4, EX90 + Twin Motor Ultra, XC60 + T8 Polestar Engineered, XC90 + B6 Ultra
`;

export const DEMO_MAKES: readonly DemoMake[] = MAKES.trim()
  .split('\n')
  .map((line) => {
    const [make = '', vinPrefix = '', ...models] = line.split(', ');
    return {
      make,
      vinPrefix,
      models: models.map((text) => ({
        short: text.slice(0, text.indexOf(' + ')),
        model: text.replace(' + ', ' '),
      })),
    };
  });
