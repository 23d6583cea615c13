// npm run soak                                   an hour at full speed, a fault every minute
// npm run soak -- --minutes 3 --every 10
// npm run soak -- pages --minutes 10             three pages in a browser that open and close
// npm run soak -- recording --minutes 10         pictures and depth, 30 per second, into MCAP files
// npm run soak -- reload                     a run that reads its pipeline file again and again

const kinds: Readonly<Record<string, string>> = {
  pages: './soak-pages.ts',
  recording: './soak-recording.ts',
  reload: './soak-reload.ts',
};
const kind = kinds[process.argv[2] ?? ''];
if (kind !== undefined) process.argv.splice(2, 1);
await import(kind ?? './soak-faults.ts');

export {};
