/** `npm run mutate`: changes the code in small ways, and runs the tests that should notice. */
export default {
  testRunner: 'vitest',
  // TypeScript 7 has no JavaScript API, which Stryker would use to rewrite this file in its sandbox.
  tsconfigFile: 'tsconfig.none.json',
  vitest: { configFile: 'vitest.mutate.config.ts' },
  plugins: ['@stryker-mutator/vitest-runner', './stryker.ignore.mjs'],
  ignorers: ['texts'],
  mutate: [
    'src/core/**/*.ts',
    'src/runtime/**/*.ts',
    'src/depth/{smoothing,temporal-median,valid-pixels,metrics,millimetres,npy}.ts',
    'src/topic/{header,header-check,header-values,message,numbering,publisher-clock,stream-time,demand}.ts',
    'src/gstreamer/{gdp,capture/timeline,capture/replay-position}.ts',
    'src/web/depth-codec.ts',
  ],
  coverageAnalysis: 'perTest',
  // Only mutants of code or tests that changed since the last run are tested.
  incremental: true,
  incrementalFile: 'out/mutation/incremental.json',
  reporters: ['clear-text', 'html'],
  clearTextReporter: { allowColor: false, reportTests: false, skipFull: true },
  htmlReporter: { fileName: 'out/mutation/report.html' },
  tempDirName: 'out/mutation/tmp',
  ignorePatterns: ['training', 'docs', 'dist', 'bench', 'out'],
  // A test file takes a fraction of a second; a mutant that does not end costs this much.
  timeoutMS: 3000,
  concurrency: 2,
  thresholds: { high: 90, low: 80, break: 80 },
};
