/**
 * Makes the workflow bundles that production images carry, so that a worker starts without making one:
 *
 *   npm run build
 */
import { basename } from 'node:path';
import { prebuildWorkflowBundles } from '../src/temporal/workflow-bundle.ts';

for (const path of await prebuildWorkflowBundles()) console.log(`built dist/${basename(path)}`);
