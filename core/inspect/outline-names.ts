import { isNamedByFramework } from './layer-facts.ts';

interface Named {
  readonly stage: string;
  readonly name: string;
}

/** More blocks than this in one part of a network, and its own parts are told apart. */
const readable = 12;

/**
 * Where each block belongs, by the names of its parameters (`layer1.0.conv1.weight`) or of its first node
 * (`/layer1/layer1.0/Add`). What all have in common is left out; a block that says nothing stands with the one before it.
 */
export function nameStages(
  blocks: readonly { readonly node: string; readonly parameters: readonly string[] }[],
): readonly Named[] {
  const paths = blocks.map(({ node, parameters }) => pathOf(node, parameters));
  const common = commonLength(paths.filter((path) => path.length > 0));
  const inner = paths.map((path) => path.slice(common));
  const depths = depthsOf(inner);
  let stage = '';
  return inner.map((path, i) => {
    if (path.length === 0) return { stage, name: '' };
    const depth = Math.max(1, Math.min(depths[i] ?? 1, path.length - 1));
    stage = path.slice(0, depth).join('.');
    return {
      stage,
      name: path
        .slice(depth)
        .filter((part) => part !== '')
        .join('.'),
    };
  });
}

/** The layer's path; of a node without parameters that of the part it is in, and '' for itself. */
function pathOf(node: string, parameters: readonly string[]): readonly string[] {
  const named = parameters.find((name) => isNamedByFramework(name));
  if (named !== undefined) return parts(named).slice(0, -1);
  const scope = node.split('/').at(-2) ?? '';
  return scope === '' ? [] : [...parts(scope), ''];
}

const parts = (name: string): string[] => name.split(/[./:]/).filter((part) => part !== '');

function commonLength(paths: readonly (readonly string[])[]): number {
  const [first, ...others] = paths;
  if (!first || others.length === 0) return 0;
  const differs = first.findIndex((part, i) => others.some((path) => path[i] !== part));
  const shortest = Math.min(...paths.map((path) => path.length));
  return Math.max(0, Math.min(differs === -1 ? first.length : differs, shortest - 1));
}

/** How many parts of its path make the stage of each block: so many that none holds more blocks than can be read. */
function depthsOf(paths: readonly (readonly string[])[]): readonly number[] {
  const depths = paths.map(() => 1);
  for (let depth = 1; depth <= 6; depth++) {
    const stages = new Map<string, number[]>();
    paths.forEach((path, i) => {
      if (path.length <= depth || depths[i] !== depth) return;
      const key = path.slice(0, depth).join('.');
      stages.set(key, [...(stages.get(key) ?? []), i]);
    });
    for (const members of stages.values()) {
      if (members.length > readable) for (const i of members) depths[i] = depth + 1;
    }
  }
  return depths;
}
