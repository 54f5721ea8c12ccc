import type { Artifact } from '../../core/contract/run.ts';

/** Pictures of a run: one by itself, or a series of the same thing at several steps. */
export type PictureItem =
  | { readonly kind: 'one'; readonly picture: Artifact }
  | { readonly kind: 'series'; readonly name: string; readonly pictures: readonly SeriesPicture[] };

export interface SeriesPicture {
  /** The number at the end of its name: a step, an epoch, a number of images. */
  readonly at: number;
  readonly picture: Artifact;
}

/** `reconstruction-100`, `reconstruction-200` … are a series; it stands where its first picture came. */
export function pictureItems(artifacts: readonly Artifact[]): readonly PictureItem[] {
  const pictures = artifacts.filter(({ mediaType }) => mediaType.startsWith('image/'));
  const families = new Map<string, SeriesPicture[]>();
  for (const picture of pictures) {
    const found = numbered(picture.name);
    if (found) families.set(found.name, [...(families.get(found.name) ?? []), { at: found.at, picture }]);
  }
  const placed = new Set<string>();
  return pictures.flatMap((picture): PictureItem[] => {
    const name = numbered(picture.name)?.name;
    const family = name === undefined ? undefined : families.get(name);
    if (name === undefined || !family || family.length < 2) return [{ kind: 'one', picture }];
    if (placed.has(name)) return [];
    placed.add(name);
    return [{ kind: 'series', name, pictures: family.toSorted((a, b) => a.at - b.at) }];
  });
}

function numbered(fileName: string): { readonly name: string; readonly at: number } | undefined {
  const [, name, digits] = /^(.+?)[-_.](\d{1,9})(?:\.[a-z]{2,5})?$/i.exec(fileName) ?? [];
  return name === undefined || digits === undefined ? undefined : { name, at: Number(digits) };
}
