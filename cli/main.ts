import { catalogue } from '../core/methods/catalogue.ts';
import { runProgram } from './program.ts';
import { processSurroundings } from './process-surroundings.ts';

process.exitCode = await runProgram(process.argv.slice(2), processSurroundings({ specs: catalogue }));
