import { defineConfig } from 'vitepress';
import { copyLinkedFiles, mermaid, outsideLinks } from './markdown.ts';

export default defineConfig({
  title: 'Depthline',
  description: 'Real-time monocular depth pipelines in TypeScript',
  // Relative asset paths would break below a sub-path; set the base when the site is hosted there.
  base: process.env.DOCS_BASE ?? '/',
  cleanUrls: true,
  lastUpdated: false,
  markdown: {
    config(md) {
      md.use(mermaid);
      md.use(outsideLinks);
    },
  },
  buildEnd: ({ outDir }) => copyLinkedFiles(outDir),
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Guide', link: '/getting-started' },
      { text: 'Components', link: '/reference' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      {
        text: 'Guide',
        items: [
          { text: 'Getting started', link: '/getting-started' },
          { text: 'Pipelines', link: '/pipelines' },
          { text: 'Back-pressure and the ledger', link: '/back-pressure' },
          { text: 'Operating', link: '/operating' },
          { text: 'Monitoring', link: '/monitoring' },
          { text: 'Running as a service', link: '/service' },
          { text: 'The live view', link: '/web' },
          { text: 'Fleets', link: '/fleet' },
          { text: 'Recordings', link: '/recordings' },
          { text: 'Zones and alarms', link: '/zones' },
          { text: 'Models', link: '/models' },
          { text: 'Stereo', link: '/stereo' },
          { text: 'Engines', link: '/engines' },
          { text: 'Depth cameras', link: '/depth-cameras' },
          { text: 'Jetson', link: '/jetson' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'Components', link: '/reference' },
          { text: 'The depth topic', link: '/depth-topic' },
          { text: 'The engine protocol', link: '/engine-protocol' },
          { text: 'ROS and Foxglove', link: '/ros' },
          { text: 'API: depthline', link: '/api/depthline/' },
          { text: 'API: depthline/testing', link: '/api/depthline/testing/' },
        ],
      },
      {
        text: 'Development',
        items: [
          { text: 'Writing components', link: '/writing-components' },
          { text: 'Architecture', link: '/ARCHITECTURE' },
          { text: 'Contributing', link: '/contributing' },
          { text: 'Changelog', link: '/changelog' },
        ],
      },
      {
        text: 'Measurements',
        items: [
          { text: 'Benchmarks', link: '/benchmarks' },
          { text: 'Results of the model', link: '/results' },
        ],
      },
    ],
  },
});
