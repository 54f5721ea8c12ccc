/** Draws the application's icon anew from renderer/icons/palimpsest.svg: node scripts/make-icons.ts */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { drawIcons, iconFolder, iconSource } from './icon-files.ts';

mkdirSync(iconFolder, { recursive: true });
for (const [name, bytes] of await drawIcons(readFileSync(iconSource))) writeFileSync(new URL(name, iconFolder), bytes);
