import type { MethodSpec } from '../core/methods/define.ts';
import { kebabCase } from '../core/methods/parameters.ts';
import type { Flag, FlagGroup } from './arguments.ts';
import { wrap } from './terminal.ts';

export interface HelpPage {
  /** One line. */
  readonly title: string;
  readonly usage: readonly string[];
  /** [what it does, command] */
  readonly examples: readonly (readonly [string, string])[];
  /** Paragraphs between the examples and the flags. */
  readonly text?: readonly string[];
  /** [name, what it does] of verbs or methods, between the text and the flags. */
  readonly list?: { readonly title: string; readonly entries: readonly (readonly [string, string])[] };
  readonly groups: readonly FlagGroup[];
  /** [name, what it means], after the flags. */
  readonly end?: { readonly title: string; readonly entries: readonly (readonly [string, string])[] };
}

const flagWidth = 26;
/** Narrower than this, what a flag does stands below its name. */
const narrow = 64;

/** A page of help: title, usage, examples, then text and flags; as wide as the terminal, within reason. */
export function renderHelp(page: HelpPage, columns: number): string {
  const width = Math.max(40, Math.min(columns, 100));
  const blocks = [
    wrap(page.title, width),
    ['Usage', ...page.usage.flatMap((line) => usageLines(line, width))],
    page.examples.length === 0 ? [] : ['Examples', ...page.examples.flatMap(exampleLines)],
    ...(page.text ?? []).map((paragraph) => wrap(paragraph, width)),
    page.list ? [page.list.title, ...page.list.entries.flatMap((entry) => entryLines(entry, width))] : [],
    ...page.groups.map((group) => [
      group.title,
      ...group.flags.filter(({ isHidden }) => isHidden !== true).flatMap((flag) => flagLines(flag, width)),
    ]),
    page.end ? [page.end.title, ...page.end.entries.flatMap((entry) => entryLines(entry, width))] : [],
  ];
  const texts = blocks.filter((block) => block.length > 0).map((block) => block.join('\n'));
  return `${texts.join('\n\n')}\n`;
}

const usageLines = (line: string, width: number): readonly string[] =>
  wrap(line, width - 4).map((part, i) => `${i === 0 ? '  ' : '    '}${part}`);

function exampleLines([what, command]: readonly [string, string]): readonly string[] {
  return [`  # ${what}`, `  ${command}`];
}

function flagLines(flag: Flag, width: number): readonly string[] {
  const dashes = `--${flag.negatable ? '[no-]' : ''}${flag.name}`;
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  return entryLines([`${short}${dashes}${flag.value === undefined ? '' : ` ${flag.value}`}`, flag.help], width);
}

function entryLines([name, text]: readonly [string, string], width: number): readonly string[] {
  const indent = ' '.repeat(width < narrow ? 6 : flagWidth + 2);
  const lines = wrap(text, width - indent.length).map((line) => indent + line);
  const head = `  ${name}`;
  if (head.length > flagWidth || width < narrow) return [...headLines(name, width), ...lines];
  return [head.padEnd(indent.length) + (lines[0] ?? '').trimStart(), ...lines.slice(1)];
}

/** Long lists of choices go on below. */
function headLines(name: string, width: number): readonly string[] {
  const lines = wrap(name.replaceAll('|', '| '), width - 4);
  return lines.map((line, i) => `${i === 0 ? '  ' : '    '}${line.replaceAll('| ', '|')}`);
}

/** How a method is called: its verb, or `run ID`. */
export const commandOf = (spec: MethodSpec): string => `palimpsest ${spec.verb ?? `run ${spec.id}`}`;

/** A method called with what it cannot do without, and nothing else. */
export function shortestCommand(spec: MethodSpec): string {
  const roles = [
    ...Object.entries(spec.models).filter(([, need]) => !need.optional && need.default === undefined),
    ...Object.entries(spec.data).filter(([, need]) => !need.optional),
  ].map(([role]) => ` --${kebabCase(role)} ${role in spec.models ? `${role.toUpperCase()}.onnx` : 'DIR'}`);
  return commandOf(spec) + roles.join('');
}

/** Everything that a method's declaration says, for its `--help`. */
export function methodHelp(spec: MethodSpec, groups: readonly FlagGroup[]): HelpPage {
  const [quickest] = Object.entries(spec.recipes);
  const needed = shortestCommand(spec);
  const examples: (readonly [string, string])[] = [['with the defaults', needed]];
  if (quickest) examples.push([quickest[1].title, `${needed} --recipe ${quickest[0]}`]);
  const test = Object.entries(spec.data).find(([, need]) => need.optional && need.labels === 'required');
  if (test) examples.push([`scored on labelled images: ${test[1].title}`, `${needed} --${kebabCase(test[0])} DIR`]);
  examples.push(['check the request without computing', `${needed} --dry-run`]);
  const papers = spec.papers.map((paper) => `Paper: ${paper.authors}: ${paper.title}. ${paper.venue}, ${paper.year}.`);
  return {
    title: `${spec.title}: ${spec.summary}`,
    usage: [`${commandOf(spec)} [flags]`],
    examples,
    text: [spec.purpose, ...papers],
    groups,
  };
}
