import { classNamesIn, classNamesInMetadata, classNamesInText } from '../contract/class-names.ts';
import type { Found, PreprocessingSource } from './preprocessing.ts';
import type { NameFile } from './preprocessing-files.ts';

export interface NameSources {
  /** JSON files beside the model. */
  readonly settings: readonly PreprocessingSource[];
  readonly files: readonly NameFile[];
  readonly metadata: Readonly<Record<string, string>>;
}

export interface FoundNames {
  readonly classNames: Found<readonly string[]> | null;
  /** Places with names of another number of classes. */
  readonly misfits: readonly { readonly source: string; readonly count: number }[];
}

/** The names of the classes that the file, or what lies beside it, says first; only as many as there are classes count. */
export function findClassNames({ settings, files, metadata }: NameSources, classCount: number | undefined): FoundNames {
  const given = [
    ...settings.map(({ name, json }) => ({ source: name, value: classNamesIn(json) })),
    ...files.map(({ name, text }) => ({ source: name, value: classNamesInText(text) })),
    { source: 'the metadata of the file', value: classNamesInMetadata(metadata) },
  ].flatMap(({ source, value }) => (value ? [{ source, value }] : []));
  const fits = ({ value }: { readonly value: readonly string[] }): boolean =>
    classCount === undefined || value.length === classCount;
  return {
    classNames: given.find(fits) ?? null,
    misfits: given.filter((each) => !fits(each)).map(({ source, value }) => ({ source, count: value.length })),
  };
}
