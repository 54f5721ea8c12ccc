import { fileURLToPath } from 'node:url';
import { defineConfig } from 'electron-vite';
import renderer from './renderer/vite.config.mjs';

const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/** Native parts and what Electron itself provides; everything else is in the bundles. */
const external = ['electron', 'better-sqlite3', 'onnxruntime-node', 'sharp'];

/**
 * CommonJS, as the sandbox asks of a preload. All files lie in one folder two levels below the package, like the sources
 * of core, so that paths relative to them mean the same.
 * @param {Record<string, string>} input
 * @param {string} outDir
 * @returns {import('electron-vite').MainViteConfig & import('electron-vite').PreloadViteConfig}
 */
const bundle = (input, outDir) => ({
  build: {
    outDir,
    emptyOutDir: true,
    target: 'node24',
    minify: false,
    externalizeDeps: false,
    rollupOptions: {
      input,
      external,
      output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
    },
  },
});

export default defineConfig({
  main: bundle({ application: at('main/application.ts'), worker: at('main/worker.ts') }, at('out/main')),
  preload: bundle({ index: at('preload/index.ts') }, at('out/preload')),
  renderer,
});
