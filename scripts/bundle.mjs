// Makes the command line one file, dist/bundle/main.js, because to import several hundred takes four times as
// long. What only some commands or pipelines need is loaded when it is needed.
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

// A user's module imports the library. These must be the same for both: classes that errors are told apart by,
// the marks of operators, the secrets that are known, who waits for the process, and the package's own folder.
const shared = [
  'async-operator',
  'capture-stream',
  'entry-point',
  'errors',
  'frame-refused',
  'secrets',
  'sink-closed',
  'sink-lost',
  'unless-idle',
].map((name) => resolve(root, `src/core/${name}.ts`));

/** Libraries that are part of the command line itself; all others stay packages of their own. */
const bundled = [
  'commander',
  'd3-color',
  'd3-interpolate',
  'd3-scale-chromatic',
  'fastest-levenshtein',
  'rxjs',
  'strftime',
  'tslib',
  'yaml',
  'zod',
];

const { metafile } = await build({
  metafile: true,
  entryPoints: [resolve(root, 'src/cli/main.ts')],
  outdir: resolve(root, 'dist/bundle'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  chunkNames: '[name]-[hash]',
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
  banner: {
    // Of the packages that are bundled, some are CommonJS and require Node.js's own modules.
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  plugins: [
    {
      name: 'shared-and-packages',
      setup({ onResolve }) {
        onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
          const file = resolve(resolveDir, path);
          if (!shared.includes(file)) return undefined;
          const compiled = file.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
          return { path: relative(resolve(root, 'dist/bundle'), compiled), external: true };
        });
        // Messages in other languages.
        onResolve({ filter: /locales\/index\.js$/ }, ({ importer, resolveDir }) =>
          importer.includes('/node_modules/zod/')
            ? { path: resolve(resolveDir, '../locales/en.js') }
            : undefined,
        );
        // As modules, of which only what is used is taken.
        onResolve({ filter: /^rxjs$/ }, () => ({
          path: resolve(root, 'node_modules/rxjs/dist/esm/index.js'),
          sideEffects: false,
        }));
        onResolve({ filter: /^[^./]/ }, ({ path }) => {
          const name = path.split('/')[0];
          return bundled.includes(name) ? undefined : { path, external: true };
        });
      },
    },
  ],
});

// Only now, so that a command that is started meanwhile finds a whole bundle.
const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
for (const name of readdirSync(resolve(root, 'dist/bundle'))) {
  if (!written.has(name)) rmSync(resolve(root, 'dist/bundle', name));
}
