import { toyFork } from '../../core/jobs/testing/toy-workspace.ts';
import { toyRegistry } from '../../core/jobs/testing/toy-method.ts';
import { runProgram } from '../program.ts';
import { processSurroundings } from '../process-surroundings.ts';
import { toySpec } from './toy-spec.ts';

/** The command line with toy methods in toy job processes; what `main.ts` is otherwise. */
const specs = [...Object.values(toyRegistry).map(({ spec }) => spec), toySpec];
process.exitCode = await runProgram(process.argv.slice(2), processSurroundings({ specs, launch: toyFork }));
