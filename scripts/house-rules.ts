/** Rules of the house that the linter has no word for. Pure: files come in as text, complaints go out. */

export interface SourceFile {
  /** Relative to the repository, with '/'. */
  readonly path: string;
  readonly text: string;
}

export interface Complaint {
  readonly path: string;
  /** 1-based; absent when the file as a whole is meant. */
  readonly line?: number;
  readonly message: string;
}

interface LineRule {
  /** Files that the rule looks at. */
  readonly files: RegExp;
  readonly except?: RegExp;
  readonly pattern: RegExp;
  readonly message: string;
  /** Look at code only, without what stands in comments and quotes. */
  readonly codeOnly?: boolean;
}

const code = /\.(ts|tsx|mjs)$/;
const tests = /\.(test|e2e)\.ts$/;
/** The rules and their tests have to spell out what they forbid. */
const thisRule = /^scripts\/(house-rules(\.test)?|check-house)\.ts$/;

const lineRules: readonly LineRule[] = [
  {
    files: /./,
    except: thisRule,
    pattern: /(^|[\s'"`(=:])\/(work|root|home|Users)\/\w/,
    message: 'names a folder of one machine',
  },
  {
    files: /./,
    except: thisRule,
    pattern: /\bregistry\.[a-z]+js\.org\b|\bregistry\.yarnpkg\b/,
    message: 'names a registry host; say "the npm registry"',
  },
  {
    files: code,
    except: thisRule,
    pattern: /\b(TODO|FIXME|XXX|HACK)\b(?! ?\(?#\d)/,
    message: 'is left to do without an issue number: TODO (#12)',
  },
  {
    files: code,
    except: thisRule,
    pattern: /@ts-(ignore|nocheck|expect-error)\b/,
    message: 'silences the compiler',
  },
  {
    files: code,
    except: thisRule,
    pattern: /(oxlint|eslint)-disable(?!.* -- \S)/,
    message: 'silences the linter without a reason: oxlint-disable-next-line RULE -- why',
  },
  {
    files: tests,
    except: thisRule,
    pattern: /\b(describe|it|test|suite)\.(only|skip|todo)\b|\bonly: true\b/,
    message: 'narrows or skips the tests',
  },
  {
    files: tests,
    except: /\.(gpu\.test|app\.e2e)\.ts$|^scripts\/house-rules/,
    pattern: /\bskip:|\bt\.skip\(/,
    message: 'skips a test; only *.gpu.test.ts and *.app.e2e.ts may, with the reason',
  },
  {
    files: /\.tsx?$/,
    pattern: /(?<=[\w)])!(?=[.;,)\]}\s[]|$)/,
    message: 'asserts non-null; only an element of an array, a[i]!, may be asserted',
    codeOnly: true,
  },
  {
    files: /\.tsx?$/,
    pattern: /^\s*(export )?(declare )?(const )?enum /,
    message: 'declares an enum; use an `as const` union',
  },
];

const generated = /\.generated\.|_pb\.ts$/;
const codeLimit = 400;
const readmeLimit = 30;

export function complaintsAbout(files: readonly SourceFile[]): Complaint[] {
  return [...files.flatMap(complaintsAboutFile), ...complaintsAboutFolders(files)];
}

function complaintsAboutFile(file: SourceFile): Complaint[] {
  if (generated.test(file.path)) return [];
  const complaints = complaintsAboutLines(file);
  const name = file.path.split('/').at(-1) ?? '';
  if (/^(utils|helpers)\.(ts|mjs)$/.test(name)) {
    complaints.push({ path: file.path, message: 'is named after nothing in particular; name it after what it holds' });
  }
  if (name === 'index.ts' && !/^(core\/autodiff\/rules|preload)\//.test(file.path)) {
    complaints.push({ path: file.path, message: 'is a barrel file; import from where things are' });
  }
  const length = lineCount(file.text);
  if (code.test(file.path) && length > codeLimit) {
    complaints.push({ path: file.path, message: `has ${length} lines, expected at most ${codeLimit}` });
  }
  return complaints;
}

function complaintsAboutLines(file: SourceFile): Complaint[] {
  const rules = lineRules.filter((rule) => rule.files.test(file.path) && !(rule.except?.test(file.path) ?? false));
  const asWritten = file.text.split('\n');
  const codeAlone = rules.some((rule) => rule.codeOnly) ? withoutWords(file.text).split('\n') : asWritten;
  return rules.flatMap(({ codeOnly = false, pattern, message }) =>
    (codeOnly ? codeAlone : asWritten).flatMap((line, index) =>
      pattern.test(line) ? [{ path: file.path, line: index + 1, message }] : [],
    ),
  );
}

/** Every folder of core has a README.md that fits a screen. */
function complaintsAboutFolders(files: readonly SourceFile[]): Complaint[] {
  const folders = new Set(files.flatMap(({ path }) => /^core\/[^/]+(?=\/.+\.ts$)/.exec(path) ?? []));
  return [...folders].toSorted().flatMap((folder): Complaint[] => {
    const path = `${folder}/README.md`;
    const readme = files.find((file) => file.path === path);
    if (readme === undefined)
      return [{ path: folder, message: 'has no README.md: purpose, entry points, how to add one' }];
    const length = lineCount(readme.text);
    return length > readmeLimit ? [{ path, message: `has ${length} lines, expected at most ${readmeLimit}` }] : [];
  });
}

const lineCount = (text: string): number => text.split('\n').length - (text.endsWith('\n') ? 1 : 0);

/** The text with comments and the words inside quotes blanked; lines keep their numbers. */
export function withoutWords(text: string): string {
  const words = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g;
  return text.replace(words, (match) => match.replace(/[^\n]/g, ' '));
}

export function formatComplaint({ path, line, message }: Complaint): string {
  return `${path}${line === undefined ? '' : `:${line}`} ${message}`;
}
