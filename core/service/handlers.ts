import { homedir } from 'node:os';
import { WorkbenchError } from '../base/errors.ts';
import { requests } from '../contract/bridge.ts';
import { DataCard } from '../contract/data-card.ts';
import type { ModelInspection } from '../contract/inspection.ts';
import { SanityReading } from '../contract/sanity.ts';
import { defaultThreads } from '../runtime/device.ts';
import { architectures } from '../train/zoo/architectures.ts';
import { foundNormalisation } from './complete-models.ts';
import { admitModels } from './admit-models.ts';
import { lookApart } from './apart.ts';
import { settlePath, whyUnfit } from './assess.ts';
import { bind, type HandlerTable } from './bind.ts';
import { bytesContent } from './content.ts';
import type { Inside } from './inside.ts';
import { listFolder } from './list-folder.ts';
import { machineFacts, measureMachine } from './machine.ts';
import { inspector } from './model-inspector.ts';
import { runHandlers } from './run-handlers.ts';

export function handlers(inside: Inside): HandlerTable {
  const { options, workspace, queue, library, uploads, links } = inside;
  const { now } = options;
  const inspect = inspector(workspace.dir);
  const facts = () => {
    const usual = machineFacts(workspace.dir, workspace.queryRuns({ offset: 0, limit: 1 }).total);
    return { ...usual, threads: inside.settings.get().threads ?? usual.threads };
  };
  return {
    'machine.facts': bind(requests['machine.facts'], facts),
    'machine.measure': bind(requests['machine.measure'], () =>
      queue.alone(async () =>
        inside.looks.without(async () => {
          await measureMachine(workspace.dir, now);
          return facts();
        }),
      ),
    ),
    'settings.get': bind(requests['settings.get'], () => inside.settings.get()),
    'settings.change': bind(requests['settings.change'], ({ threads, device, places, looksAhead }) =>
      inside.settings.change({
        ...(threads === undefined ? {} : { threads }),
        ...(device === undefined ? {} : { device }),
        ...(places === undefined ? {} : { places }),
        ...(looksAhead === undefined ? {} : { looksAhead }),
      }),
    ),
    'workspace.change': bind(requests['workspace.change'], async () => {
      if (options.changeWorkspace) return { isChanged: await options.changeWorkspace() };
      throw new WorkbenchError('USAGE', 'This host keeps to the workspace that it was started with', {
        hint: 'End it, and start it with `palimpsest serve --workspace DIR`.',
      });
    }),
    'models.list': bind(requests['models.list'], () => library.models()),
    'models.architectures': bind(requests['models.architectures'], () => Object.keys(architectures)),
    'models.inspect': bind(requests['models.inspect'], async ({ path, dims }): Promise<ModelInspection> => {
      const inspection = await inspect(settlePath(path), dims);
      library.noteModel(inspection, now());
      inside.tellLibrary('models');
      return inspection;
    }),
    'models.annotate': bind(requests['models.annotate'], async ({ path, ...words }) => {
      const inspection = await inspect(settlePath(path));
      library.noteModel(inspection, now());
      library.annotateModel(inspection.file, words);
      inside.tellLibrary('models');
      return {};
    }),
    'models.sanity': bind(requests['models.sanity'], async ({ path, data, count }) => {
      const inspection = await inspect(settlePath(path));
      const words = library.wordsOf(inspection.file);
      const said = words.normalisation;
      const found = foundNormalisation(inspection);
      const classNames = words.classNames ?? inspection.classNames?.value;
      const also = [
        ...(said ? [{ title: 'What you said', normalisation: said }] : []),
        ...(found ? [{ title: `Found in ${found.source}`, normalisation: found.normalisation }] : []),
      ];
      await admitModels({ model: { kind: 'file', path: settlePath(path) } }, workspace.dir, options.elapsed);
      const command = {
        kind: 'sanity' as const,
        path: settlePath(path),
        data,
        count,
        also,
        threads: defaultThreads(),
        ...(classNames ? { classNames } : {}),
      };
      return SanityReading.parse(await lookApart(command));
    }),
    'models.methods': bind(requests['models.methods'], async ({ path }) => {
      const inspection = await inspect(settlePath(path));
      return options.specs
        .filter(({ models }) => Object.keys(models).length > 0)
        .map(({ id, models }) => ({
          methodId: id,
          roles: Object.entries(models).map(([role, need]) => ({
            role,
            problem: whyUnfit(inspection, need)?.message ?? null,
          })),
        }));
    }),
    'data.list': bind(requests['data.list'], () => library.data()),
    'data.inspect': bind(requests['data.inspect'], async (asked) => {
      const card = DataCard.parse(await lookApart({ kind: 'data', ...asked }));
      library.noteData(card, now());
      inside.tellLibrary('data');
      return card;
    }),
    'files.list': bind(requests['files.list'], ({ path }) => listFolder(path ?? homedir())),
    'uploads.begin': bind(requests['uploads.begin'], (asked) => uploads.begin(asked)),
    'uploads.finish': bind(requests['uploads.finish'], ({ uploadId }) => uploads.finish(uploadId)),
    'uploads.abort': bind(requests['uploads.abort'], ({ uploadId }) => {
      uploads.abort(uploadId);
      return {};
    }),
    'queue.facts': bind(requests['queue.facts'], () => queue.facts()),
    'queue.continue': bind(requests['queue.continue'], () => {
      queue.continue();
      return queue.facts();
    }),
    'links.create': bind(requests['links.create'], async (target) => ({ url: await links.create(target) })),
    'links.createPdf': bind(requests['links.createPdf'], async ({ runId: asked }) => {
      if (!options.printPdf) {
        throw new WorkbenchError('USAGE', 'This host cannot print', { hint: 'Print the report in the browser.' });
      }
      const { runId } = workspace.getRun(asked);
      const bytes = await options.printPdf(await links.create({ kind: 'report', runId }));
      const fileName = `palimpsest-${runId}.pdf`;
      return {
        url: links.keep({ content: bytesContent(bytes), mediaType: 'application/pdf', fileName, isDownload: true }),
      };
    }),
    'session.invite': bind(requests['session.invite'], () => {
      if (options.invite) return { url: options.invite() };
      throw new WorkbenchError('USAGE', 'Windows of the application have no addresses');
    }),
    ...runHandlers(inside, inspect),
  };
}
