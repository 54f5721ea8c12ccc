import { parseArgs } from 'node:util';
import { WorkbenchError } from '../core/base/errors.ts';
import { didYouMean } from './suggest.ts';

/** One flag as it is parsed and shown. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** One letter; for the few flags that everybody types. */
  readonly short?: string;
  /** 'NUMBER', 'DIR', 'FILE.json' …; a switch has none. */
  readonly value?: string;
  /** A switch that also exists as --no-NAME. */
  readonly negatable?: boolean;
  /** What it stands for when it is given again, in this order; else the last one counts. */
  readonly again?: readonly string[];
  /** Understood, and left out of the help: another flag's text speaks of it. */
  readonly isHidden?: boolean;
  readonly help: string;
}

export interface FlagGroup {
  readonly title: string;
  readonly flags: readonly Flag[];
}

export interface Arguments {
  readonly positionals: readonly string[];
  /** The text of a flag that takes a value; the last one counts. */
  text(name: string): string | undefined;
  /** Every text of a flag that may be given several times, in order. */
  texts(name: string): readonly string[];
  /** A switch: true, false (--no-NAME), or undefined when it was not given. */
  isOn(name: string): boolean | undefined;
}

/**
 * Reads arguments after the verb.
 * @param command how the command is called in hints, for instance "palimpsest run NAME"
 * @throws USAGE naming the flag, with what it may have been meant to be.
 */
export function parseArguments(argv: readonly string[], groups: readonly FlagGroup[], command: string): Arguments {
  const flags = new Map(groups.flatMap((group) => group.flags.map((flag) => [flag.name, flag])));
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options: Object.fromEntries([...flags.values()].map((flag) => [flag.name, option(flag)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const texts = new Map<string, readonly string[]>();
  const switches = new Map<string, boolean>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const isNegated = token.name.startsWith('no-') && !flags.has(token.name);
    const flag = flags.get(isNegated ? token.name.slice(3) : token.name);
    if (!flag || (isNegated && !flag.negatable)) throw unknownFlag(token.rawName, [...flags.values()], command);
    if (flag.value === undefined) switches.set(flag.name, readSwitch(token.rawName, token.value, isNegated));
    else {
      const text = readText(flag, token.value, token.inlineValue ?? false, command);
      const place = placeOf(flag, texts);
      texts.set(place, [...(texts.get(place) ?? []), text]);
    }
  }
  return {
    positionals,
    text: (name) => texts.get(name)?.at(-1),
    texts: (name) => texts.get(name) ?? [],
    isOn: (name) => switches.get(name),
  };
}

/** @throws USAGE when it was given more often than there is room */
function placeOf({ name, again = [] }: Flag, given: ReadonlyMap<string, unknown>): string {
  if (again.length === 0) return name;
  const free = [name, ...again].find((each) => !given.has(each));
  if (free !== undefined) return free;
  const most = again.length + 1;
  throw new WorkbenchError('USAGE', `Flag --${name}: expected at most ${most} of them, got more`, {
    hint: `Leave some out, or make several runs of at most ${most}.`,
  });
}

function option(flag: Flag): { type: 'string' | 'boolean'; short?: string } {
  const type = flag.value === undefined ? 'boolean' : 'string';
  return flag.short === undefined ? { type } : { type, short: flag.short };
}

function readSwitch(rawName: string, value: string | undefined, isNegated: boolean): boolean {
  if (value === undefined || value === 'true') return !isNegated;
  if (value === 'false') return isNegated;
  throw new WorkbenchError('USAGE', `Flag ${rawName}: expected true, false or no value, got "${value}"`, {
    hint: `Write ${rawName} alone to switch it on.`,
  });
}

function readText(flag: Flag, value: string | undefined, isInline: boolean, command: string): string {
  const looksLikeFlag = value !== undefined && !isInline && /^-(?![\d.]).+/.test(value);
  if (value !== undefined && !looksLikeFlag) return value;
  throw new WorkbenchError(
    'USAGE',
    `Flag --${flag.name}: expected ${flag.value ?? 'a value'}, got ${value === undefined ? 'nothing' : `the flag ${value}`}`,
    { hint: `Write --${flag.name}=VALUE where the value begins with a dash. See \`${command} --help\`.` },
  );
}

function unknownFlag(rawName: string, flags: readonly Flag[], command: string): WorkbenchError {
  const names = flags.flatMap((flag) => (flag.negatable ? [flag.name, `no-${flag.name}`] : [flag.name]));
  const meant = didYouMean(rawName.replace(/^-+/, ''), names, '--');
  return new WorkbenchError('USAGE', `Unknown flag ${rawName} of \`${command}\``, {
    hint: [meant, `See \`${command} --help\` for all flags.`].filter((part) => part !== undefined).join(' '),
  });
}

/** A last name that ends with '…' stands for one or more. @throws USAGE when there are too few or too many. */
export function expectPositionals(
  positionals: readonly string[],
  names: readonly string[],
  command: string,
): readonly string[] {
  const isOpen = names.at(-1)?.endsWith('…') ?? false;
  if (positionals.length === names.length || (isOpen && positionals.length > names.length)) return positionals;
  const extra = positionals[names.length];
  const missing = names[positionals.length];
  const message =
    extra === undefined
      ? `\`${command}\` needs ${missing ?? 'an argument'}, and none was given`
      : `\`${command}\` does not take the argument "${extra}"`;
  throw new WorkbenchError('USAGE', message, { hint: `See \`${command} --help\`.` });
}
