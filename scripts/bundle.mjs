// Makes the command line a few files, dist/bundle/main.js and what it loads, because to import several hundred takes
// four times as long, and the inference thread and the capture process one each. What only some commands or pipelines
// need is loaded when it is needed.
import { readdirSync, rmSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const bundle = resolve(root, 'dist/bundle');

// A user's module imports the library. These must be the same for both: classes that errors are told apart by,
// the marks of operators, the secrets that are known, what is done at the exit, who waits for the process, and the
// package's own folder.
const shared = [
  'async-operator',
  'at-exit',
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

/** Those that Node.js would load whole: as modules, of which only what is used is taken. */
const modules = { rxjs: 'rxjs/dist/esm/index.js', yaml: 'yaml/browser/index.js' };

const packages = {
  name: 'packages',
  enforce: 'pre',
  resolveId(source, importer) {
    // Messages in other languages.
    if (/locales\/index\.js$/.test(source) && importer?.includes('/node_modules/zod/'))
      return resolve(dirname(importer), '../locales/en.js');
    if (modules[source])
      return { id: resolve(root, 'node_modules', modules[source]), moduleSideEffects: false };
    if (!/^[^./\0]/.test(source) || bundled.includes(source.split('/')[0])) return undefined;
    return { id: source, external: true };
  },
};

const sharedModules = {
  name: 'shared-modules',
  enforce: 'pre',
  resolveId(source, importer) {
    if (!source.startsWith('.') || importer === undefined) return undefined;
    const file = resolve(dirname(importer), source);
    if (!shared.includes(file)) return undefined;
    const compiled = file.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
    return { id: relative(bundle, compiled), external: true };
  },
};

/** What is loaded as soon as these modules are. */
function loadedWith(modules, moduleInfo) {
  const found = new Set();
  const open = modules.map((path) => resolve(root, 'src', path));
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id) || moduleInfo(id)?.isExternal !== false) continue;
    found.add(id);
    open.push(...moduleInfo(id).importedIds);
  }
  return found;
}

// What every command needs is one file, and what "run" needs with nearly every pipeline is another: many small ones
// take longer to find than to read.
const inRun = [
  'cli/run.ts',
  'sources/test-pattern.ts',
  'operators/estimate-depth.ts',
  'sinks/zeromq.ts',
];
let ofAll;
let ofRun;
function chunkOf(id, { getModuleInfo }) {
  ofAll ??= loadedWith(['cli/main.ts'], getModuleInfo);
  ofRun ??= loadedWith(inRun, getModuleInfo);
  if (ofAll.has(id)) return 'all';
  return ofRun.has(id) ? 'run' : undefined;
}

/** @returns the files that are written */
async function write(input, plugins, output) {
  const { output: files } = await build({
    root,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    plugins: [...plugins, packages],
    build: {
      ssr: true,
      outDir: bundle,
      emptyOutDir: false,
      target: 'node20',
      minify: 'esbuild',
      rollupOptions: {
        input: Object.fromEntries(
          Object.entries(input).map(([name, path]) => [name, resolve(root, path)]),
        ),
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: '[name]-[hash].js',
          hoistTransitiveImports: false,
          ...output,
        },
      },
    },
  });
  return files.map(({ fileName }) => fileName);
}

const written = new Set([
  ...(await write({ main: 'src/cli/main.ts' }, [sharedModules], { manualChunks: chunkOf })),
  ...(await write({ inference: 'src/inference/worker.ts' }, [], {})),
  ...(await write({ 'capture-host': 'src/gstreamer/capture/capture-host.ts' }, [], {})),
]);

// Only now, so that a command that is started meanwhile finds a whole bundle.
for (const name of readdirSync(bundle)) {
  if (!written.has(name)) rmSync(resolve(bundle, name));
}
