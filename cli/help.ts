import type { MethodSpec } from '../core/methods/define.ts';
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
}

const flagWidth = 26;

/** A page of help: title, usage, examples, then text and flags. */
export function renderHelp(page: HelpPage, columns: number): string {
  const width = Math.max(60, Math.min(columns, 100));
  const blocks = [
    wrap(page.title, width),
    ['Usage', ...page.usage.map((line) => `  ${line}`)],
    page.examples.length === 0 ? [] : ['Examples', ...page.examples.flatMap(exampleLines)],
    ...(page.text ?? []).map((paragraph) => wrap(paragraph, width)),
    page.list ? [page.list.title, ...page.list.entries.flatMap((entry) => entryLines(entry, width))] : [],
    ...page.groups.map((group) => [group.title, ...group.flags.flatMap((flag) => flagLines(flag, width))]),
  ];
  const texts = blocks.filter((block) => block.length > 0).map((block) => block.join('\n'));
  return `${texts.join('\n\n')}\n`;
}

function exampleLines([what, command]: readonly [string, string]): readonly string[] {
  return [`  # ${what}`, `  ${command}`];
}

function flagLines(flag: Flag, width: number): readonly string[] {
  const dashes = `--${flag.negatable ? '[no-]' : ''}${flag.name}`;
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  return entryLines([`${short}${dashes}${flag.value === undefined ? '' : ` ${flag.value}`}`, flag.help], width);
}

function entryLines([name, text]: readonly [string, string], width: number): readonly string[] {
  const head = `  ${name}`;
  const indent = ' '.repeat(flagWidth + 2);
  const lines = wrap(text, width - indent.length).map((line) => indent + line);
  if (head.length > flagWidth) return [head, ...lines];
  return [head.padEnd(indent.length) + (lines[0] ?? '').trimStart(), ...lines.slice(1)];
}

/** How a method is called: its verb, or `run ID`. */
export const commandOf = (spec: MethodSpec): string => `palimpsest ${spec.verb ?? `run ${spec.id}`}`;

/** Everything that a method's declaration says, for its `--help`. */
export function methodHelp(spec: MethodSpec, groups: readonly FlagGroup[]): HelpPage {
  const command = commandOf(spec);
  const [quickest] = Object.entries(spec.recipes);
  const roles = [
    ...Object.entries(spec.models).filter(([, need]) => !need.optional && need.default === undefined),
    ...Object.entries(spec.data).filter(([, need]) => !need.optional),
  ].map(([role]) => ` --${role} ${role in spec.models ? `${role.toUpperCase()}.onnx` : 'DIR'}`);
  const needed = command + roles.join('');
  const examples: (readonly [string, string])[] = [['with the defaults', needed]];
  if (quickest) examples.push([quickest[1].title, `${needed} --recipe ${quickest[0]}`]);
  examples.push(['check the request without computing', `${needed} --dry-run`]);
  const papers = spec.papers.map((paper) => `Paper: ${paper.authors}: ${paper.title}. ${paper.venue}, ${paper.year}.`);
  return {
    title: `${spec.title}: ${spec.summary}`,
    usage: [`${command} [flags]`],
    examples,
    text: [spec.purpose, ...papers],
    groups,
  };
}
