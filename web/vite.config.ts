import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

export default defineConfig({
  base: './',
  build: {
    outDir: '../dist/page',
    emptyOutDir: true,
    // No inlined data: the policy of the page allows files of its own only.
    assetsInlineLimit: 0,
    // three.js, which only the point cloud loads.
    chunkSizeWarningLimit: 600,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  plugins: [licenses()],
  worker: { format: 'es' },
});

/** Writes `licenses.txt`: the licences of the packages whose code is in the page. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((chunk) =>
        chunk.type === 'chunk' ? Object.keys(chunk.modules) : [],
      );
      const folders = modules.flatMap(
        (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? [],
      );
      const texts = [...new Set(folders)].toSorted().flatMap((folder) => {
        const name = folder.split('/node_modules/').at(-1);
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        if (file === undefined) this.error(`${name} has no licence file`);
        return [`${name}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`];
      });
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: texts.join('\n\n') });
    },
  };
}
