/** Builds the dashboard into dist/, so that whoever starts it there need not: `npm run build`. */
import { ensureDashboard, PREBUILT } from '../src/http/build-dashboard.ts';

console.log(await ensureDashboard(PREBUILT));
