import { WorkbenchError } from '../core/base/errors.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { describeMachine } from '../core/jobs/environment.ts';
import { expectPositionals, parseArguments } from './arguments.ts';
import { doctor } from './doctor.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { exportRun } from './export.ts';
import { colourFlag, debugFlag, helpFlag, jsonFlag } from './flags.ts';
import { gradient } from './gradient.ts';
import { commandOf, renderHelp, type HelpPage } from './help.ts';
import { importRuns } from './import.ts';
import { inspect } from './inspect.ts';
import { list } from './list.ts';
import { methods } from './methods.ts';
import { noteThrown } from './report-error.ts';
import { resume } from './resume.ts';
import { methodVerb, noRun } from './run.ts';
import { serve } from './serve.ts';
import { show } from './show.ts';
import { didYouMean } from './suggest.ts';
import { withoutColour } from './terminal.ts';
import type { Surroundings, Verb } from './verb.ts';
import { verifyGradientsVerb } from './verify-gradients.ts';

const fixedVerbs: readonly Verb[] = [
  resume,
  list,
  show,
  exportRun,
  importRuns,
  methods,
  inspect,
  gradient,
  verifyGradientsVerb,
  doctor,
  serve,
];

/** Runs one command line and gives the exit code. Nothing is thrown. */
export async function runProgram(given: readonly string[], surroundings: Surroundings): Promise<number> {
  const argv = given.filter((argument) => argument !== `--${colourFlag.name}`);
  const isPlain = argv.length < given.length;
  const here = isPlain ? { ...surroundings, terminal: withoutColour(surroundings.terminal) } : surroundings;
  let verb: Verb | undefined;
  try {
    const [first, ...rest] = argv;
    if (first === '--version' || first === '-V') {
      here.terminal.write(`${describeMachine().palimpsest}\n`);
      return exitCodes.ok.code;
    }
    const help = helpAskedFor(argv, here.specs);
    if (help) {
      here.terminal.write(renderHelp(help, here.terminal.columns));
      return exitCodes.ok.code;
    }
    if (first === undefined) {
      here.terminal.note(renderHelp(mainHelp(here.specs), here.terminal.columns));
      return exitCodes.usage.code;
    }
    const found = findVerb(first, rest, here.specs);
    verb = found.verb;
    const command = `palimpsest ${verb.name}`;
    const args = parseArguments(found.rest, verb.help.groups, command);
    expectPositionals(args.positionals, verb.positionals, command);
    return await verb.run(args, here);
  } catch (thrown) {
    const error = noteThrown(here.terminal, thrown, { debug: argv.includes('--debug') });
    const isRun = verb === undefined && (argv[0] === 'run' || here.specs.some((spec) => spec.verb === argv[0]));
    if (argv.includes('--json')) {
      const empty = verb ? (verb.emptyResult ?? {}) : isRun ? noRun : {};
      here.terminal.write(`${JSON.stringify({ ...empty, error })}\n`);
    }
    return exitCodeOf(error.code);
  }
}

function findVerb(
  first: string,
  rest: readonly string[],
  specs: readonly MethodSpec[],
): { verb: Verb; rest: readonly string[] } {
  if (first === 'run') return findMethodVerb(rest, specs);
  const own = specs.find((spec) => spec.verb === first);
  if (own) return { verb: methodVerb(own), rest };
  const verb = fixedVerbs.find((each) => each.name === first);
  if (verb) return { verb, rest };
  const names = [...verbNames(specs), 'help'];
  const ids = specs.map((spec) => spec.id);
  const hint = ids.includes(first)
    ? `Did you mean \`palimpsest run ${first}\`?`
    : (didYouMean(first, names) ?? didYouMean(first, ids));
  const message = first.startsWith('-') ? `Unknown flag ${first} of \`palimpsest\`` : `There is no verb "${first}"`;
  throw new WorkbenchError('USAGE', message, {
    hint: hint ?? `Verbs: ${names.join(', ')}. Methods: ${ids.join(', ')}. See \`palimpsest --help\`.`,
  });
}

/** `run`: the method may stand anywhere, so that flags may come first. */
function findMethodVerb(
  rest: readonly string[],
  specs: readonly MethodSpec[],
): { verb: Verb; rest: readonly string[] } {
  const at = rest.findIndex((argument) => specs.some((spec) => spec.id === argument));
  const spec = specs.find((each) => each.id === rest[at]);
  if (spec) return { verb: methodVerb(spec), rest: rest.toSpliced(at, 1) };
  const ids = specs.map((each) => each.id);
  const wrong = rest.find((argument) => !argument.startsWith('-'));
  const known = `Methods: ${ids.join(', ') || 'none'}.`;
  if (wrong === undefined) {
    throw new WorkbenchError('USAGE', '`palimpsest run` needs METHOD, and none was given', {
      hint: `${known} See \`palimpsest methods\`.`,
    });
  }
  throw new WorkbenchError('METHOD_UNKNOWN', `There is no method "${wrong}"`, {
    hint: [didYouMean(wrong, ids), known].filter((part) => part !== undefined).join(' '),
  });
}

const verbNames = (specs: readonly MethodSpec[]): readonly string[] => [
  ...specs.flatMap((spec) => spec.verb ?? []),
  'run',
  ...fixedVerbs.map((verb) => verb.name),
];

/** The page for --help, -h, `help`, `help VERB` and `help METHOD`; undefined when none was asked for. */
function helpAskedFor(argv: readonly string[], specs: readonly MethodSpec[]): HelpPage | undefined {
  const [first, ...rest] = argv;
  const isVerb = first === 'help';
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  if (!isVerb && !flags.includes('--help') && !flags.includes('-h')) return undefined;
  const words = (isVerb ? rest : argv).filter((word) => !word.startsWith('-'));
  const [name] = words;
  if (name === undefined) return mainHelp(specs);
  if (name === 'run') return words.length === 1 ? runHelp(specs) : findMethodVerb(words.slice(1), specs).verb.help;
  const method = specs.find((spec) => spec.id === name);
  return method ? methodVerb(method).help : findVerb(name, [], specs).verb.help;
}

function runHelp(specs: readonly MethodSpec[]): HelpPage {
  const [first] = specs.filter((spec) => spec.verb === undefined);
  return {
    title: 'palimpsest run: run a method.',
    usage: ['palimpsest run METHOD [flags]'],
    examples: first
      ? [
          [first.title, commandOf(first)],
          ['all flags of this method', `${commandOf(first)} --help`],
        ]
      : [],
    list: { title: 'Methods', entries: specs.map((spec) => [commandOf(spec), spec.summary]) },
    groups: [{ title: 'Flags', flags: [helpFlag] }],
  };
}

function mainHelp(specs: readonly MethodSpec[]): HelpPage {
  const [first] = specs.filter((spec) => spec.verb === undefined);
  const verbs: (readonly [string, string])[] = [
    ...specs.filter((spec) => spec.verb !== undefined).map((spec) => [spec.verb ?? '', spec.summary] as const),
    ['run METHOD', 'Run a method; `palimpsest methods` lists them.'] as const,
    ...fixedVerbs.map((verb) => [[verb.name, ...verb.positionals].join(' '), verb.summary] as const),
    ['help [VERB|METHOD]', 'Show all flags of a verb or a method.'] as const,
  ];
  return {
    title: 'Palimpsest reads out what a trained image classifier still holds of its training data. Offline.',
    usage: ['palimpsest VERB [flags]'],
    examples: [
      ...(first
        ? [
            ['run a method on the bundled teacher', commandOf(first)] as const,
            ['what it can be told', `palimpsest help ${first.id}`] as const,
          ]
        : []),
      ['see what was run', 'palimpsest list'],
      ['take a report and the files of a run away', 'palimpsest export RUN'],
      ['check this machine', 'palimpsest doctor'],
    ],
    list: { title: 'Verbs', entries: verbs },
    groups: [
      {
        title: 'Flags',
        flags: [
          helpFlag,
          { name: 'version', short: 'V', help: 'Show the version.' },
          { ...jsonFlag, help: 'With every verb that has a result: print exactly one JSON object to standard output.' },
          colourFlag,
          debugFlag,
        ],
      },
    ],
    end: {
      title: 'Exit codes',
      entries: Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning] as const),
    },
  };
}
