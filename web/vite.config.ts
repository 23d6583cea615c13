import { defineConfig } from 'vite';

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
  worker: { format: 'es' },
});
