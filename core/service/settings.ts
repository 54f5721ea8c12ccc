import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { WorkbenchError } from '../base/errors.ts';
import { Settings } from '../contract/settings.ts';
import { writeDurably } from '../jobs/durable-files.ts';

/** `settings.json` of a workspace. A convenience: when it is damaged, everything is as usual again. */
export interface SettingsFile {
  get(): Settings;
  /** What is not given stays. @throws USAGE for a place that is no folder */
  change(changed: Partial<Settings>): Settings;
}

export function openSettings(workspaceDir: string): SettingsFile {
  const file = join(workspaceDir, 'settings.json');
  let settings = read(file);
  return {
    get: () => settings,
    change(changed) {
      for (const place of changed.places ?? []) {
        if (statSync(place, { throwIfNoEntry: false })?.isDirectory()) continue;
        throw new WorkbenchError('USAGE', `There is no folder ${place}`, { hint: 'Choose a folder that is there.' });
      }
      settings = Settings.parse({ ...settings, ...changed });
      writeDurably(file, [new TextEncoder().encode(`${JSON.stringify(settings, null, 2)}\n`)]);
      return settings;
    },
  };
}

function read(file: string): Settings {
  const usual = Settings.parse({});
  if (!existsSync(file)) return usual;
  try {
    return Settings.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data ?? usual;
  } catch {
    return usual;
  }
}
