import { WorkbenchError } from '../../base/errors.ts';

/**
 * How classes belong together: nodes with their parents and a root that has none. A node may have several parents, as
 * synsets of WordNet do. `classes` are the nodes that stand for the model's classes, in their order.
 */
export interface Taxonomy {
  readonly title: string;
  readonly classes: readonly string[];
  /** node → its parents; the root is not a key. */
  readonly parents: ReadonlyMap<string, readonly string[]>;
}

interface TreeNode {
  readonly name: string;
  readonly children?: readonly (TreeNode | string)[];
}

/**
 * A taxonomy from the parsed JSON of a file: `{ title, classes, tree }` with `tree` a node `{ name, children }`, a child
 * being a node or the name of a leaf. null when `tree` is null: the file says that these classes have no semantics.
 * @throws PARAM_INVALID with everything that is wrong.
 */
export function taxonomyFromJson(json: unknown, file: string): Taxonomy | null {
  if (!isObject(json) || !('tree' in json)) throw malformed(file, 'expected an object with "classes" and "tree"');
  const title = typeof json['title'] === 'string' ? json['title'] : file;
  if (json['tree'] === null) return null;
  const classes = json['classes'];
  if (!Array.isArray(classes) || !classes.every((name) => typeof name === 'string'))
    throw malformed(file, 'expected "classes" to be a list of names in the order of the model’s classes');
  const parents = new Map<string, string[]>();
  const walk = (value: unknown, parent: string | undefined): void => {
    const node = readNode(value, file);
    if (parent !== undefined) parents.set(node.name, [...(parents.get(node.name) ?? []), parent]);
    for (const child of node.children ?? []) walk(child, node.name);
  };
  walk(json['tree'], undefined);
  return checked({ title, classes, parents }, file);
}

function readNode(value: unknown, file: string): TreeNode {
  if (typeof value === 'string') return { name: value };
  if (isObject(value) && typeof value['name'] === 'string') {
    const children: unknown = value['children'] ?? [];
    if (Array.isArray(children)) return { name: value['name'], children };
  }
  throw malformed(file, `expected a node { name, children } or a name, got ${JSON.stringify(value)?.slice(0, 60)}`);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A taxonomy from CSV lines `child,parent`, one an edge, after an optional header of these words. Nodes without
 * children are the classes, in the order in which they come first.
 */
export function taxonomyFromCsv(text: string, file: string): Taxonomy {
  const edges = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line, i) => line !== '' && !(i === 0 && /^child\s*,\s*parent$/i.test(line)))
    .map((line) => line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1')));
  const bad = edges.find((cells) => cells.length !== 2 || cells.includes(''));
  if (bad) throw malformed(file, `expected lines "child,parent", got "${bad.join(',')}"`);
  const parents = new Map<string, string[]>();
  for (const [child = '', parent = ''] of edges) parents.set(child, [...(parents.get(child) ?? []), parent]);
  const inner = new Set([...parents.values()].flat());
  const classes = [...parents.keys()].filter((name) => !inner.has(name));
  return checked({ title: file, classes, parents }, file);
}

function checked(taxonomy: Taxonomy, file: string): Taxonomy {
  const { classes, parents } = taxonomy;
  const nodes = new Set([...parents.keys(), ...[...parents.values()].flat()]);
  const roots = [...nodes].filter((node) => !parents.has(node));
  const problems = [
    ...(roots.length === 1 ? [] : [`expected one root, got ${roots.length === 0 ? 'none' : roots.join(', ')}`]),
    ...repeated(classes).map((name) => `class "${name}" is listed twice`),
    ...classes.filter((name) => !nodes.has(name)).map((name) => `class "${name}" is not in the tree`),
    ...[...parents].flatMap(([name, list]) => (new Set(list).size < list.length ? [`"${name}" stands twice`] : [])),
  ];
  if (problems.length > 0) throw malformed(file, problems.join('; '));
  for (const node of nodes) distancesUp(taxonomy, node, file);
  return taxonomy;
}

const repeated = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, i) => names.indexOf(name) !== i)),
];

const malformed = (file: string, what: string): WorkbenchError =>
  new WorkbenchError('PARAM_INVALID', `Taxonomy ${file}: ${what}`, {
    hint: 'A JSON file { "classes": [...], "tree": { "name", "children" } } or CSV lines child,parent; see assets/taxonomies.',
  });

/** Edges from `node` up to each of its ancestors, itself included, on the shortest way. */
function distancesUp({ parents }: Taxonomy, node: string, file: string): ReadonlyMap<string, number> {
  const distances = new Map([[node, 0]]);
  let level = [node];
  for (let edges = 1; level.length > 0; edges++) {
    const above = [...new Set(level.flatMap((name) => parents.get(name) ?? []))];
    if (above.includes(node)) throw malformed(file, `"${node}" is its own ancestor`);
    level = above.filter((name) => !distances.has(name));
    for (const name of level) distances.set(name, edges);
  }
  return distances;
}

/** Names compare without case, spaces, hyphens and underscores. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[\s_-]+/g, '');

/**
 * The taxonomy's classes in the order of the model's. A model whose classes are only numbered takes the order of the
 * file. Classes that the taxonomy lacks are refused: hanging them under the root would call every flip to them severe.
 * @throws PARAM_INVALID naming the classes that the taxonomy lacks or that the model does not have.
 */
export function alignTaxonomy(taxonomy: Taxonomy, classNames: readonly string[]): Taxonomy {
  const isNumbered = classNames.every((name, i) => name === String(i));
  if (isNumbered && classNames.length === taxonomy.classes.length) return taxonomy;
  const byName = new Map(taxonomy.classes.map((name) => [plain(name), name]));
  const missing = classNames.filter((name) => !byName.has(plain(name)));
  const known = new Set(classNames.map(plain));
  const unknown = taxonomy.classes.filter((name) => !known.has(plain(name)));
  if (missing.length === 0 && unknown.length === 0)
    return { ...taxonomy, classes: classNames.map((name) => byName.get(plain(name)) ?? name) };
  const say = (names: readonly string[]): string =>
    `${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`;
  throw new WorkbenchError(
    'PARAM_INVALID',
    `Taxonomy ${taxonomy.title} does not fit a model with ${classNames.length} classes: ${[
      ...(missing.length > 0 ? [`it lacks ${say(missing)}`] : []),
      ...(unknown.length > 0 ? [`the model does not have ${say(unknown)}`] : []),
    ].join('; ')}`,
    { hint: 'Add the missing classes to the file, take the unknown ones out, or run without semantic severity.' },
  );
}

/** Distances between classes, each [K, K] row-major with zeros on the diagonal. */
export interface SemanticDistances {
  /** 1 − 2·depth(c) / (depth of a through c + depth of b through c), Wu and Palmer 1994; root depth 1; least over common ancestors c. */
  readonly wuPalmer: Float64Array;
  /** 1 − 1 / (1 + edges on the shortest way). */
  readonly path: Float64Array;
  /** Edges from the lowest common ancestor to its deepest leaf (Bertinetto et al. 2020). */
  readonly height: Float64Array;
}

export function semanticDistances(taxonomy: Taxonomy): SemanticDistances {
  const { classes, parents, title } = taxonomy;
  const k = classes.length;
  const up = classes.map((name) => distancesUp(taxonomy, name, title));
  const nodes = new Set([...parents.keys(), ...[...parents.values()].flat()]);
  const heights = nodeHeights(taxonomy);
  const root = [...nodes].find((node) => !parents.has(node)) ?? '';
  const depths = new Map([...nodes].map((node) => [node, 1 + (distancesUp(taxonomy, node, title).get(root) ?? 0)]));
  const [wuPalmer, path, height] = [new Float64Array(k * k), new Float64Array(k * k), new Float64Array(k * k)];
  for (let a = 0; a < k; a++) {
    for (let b = 0; b < k; b++) {
      if (a === b) continue;
      let [similarity, edges, lowest] = [0, Infinity, Infinity];
      for (const [node, left] of up[a]!) {
        const right = up[b]!.get(node);
        if (right === undefined) continue;
        const depth = depths.get(node) ?? 1;
        similarity = Math.max(similarity, (2 * depth) / (2 * depth + left + right));
        edges = Math.min(edges, left + right);
        lowest = Math.min(lowest, heights.get(node) ?? 0);
      }
      wuPalmer[a * k + b] = 1 - similarity;
      path[a * k + b] = 1 - 1 / (1 + edges);
      height[a * k + b] = lowest;
    }
  }
  return { wuPalmer, path, height };
}

/** Edges from each node down to its deepest leaf. */
function nodeHeights({ parents }: Taxonomy): ReadonlyMap<string, number> {
  const heights = new Map<string, number>();
  const raise = (node: string, height: number): void => {
    if ((heights.get(node) ?? -1) >= height) return;
    heights.set(node, height);
    for (const parent of parents.get(node) ?? []) raise(parent, height + 1);
  };
  for (const node of parents.keys()) raise(node, 0);
  return heights;
}
