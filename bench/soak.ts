// npm run soak                                   an hour at full speed, a fault every minute
// npm run soak -- --minutes 3 --every 10
// npm run soak -- pages --minutes 10             three pages in a browser that open and close

const pages = process.argv[2] === 'pages';
if (pages) process.argv.splice(2, 1);
await import(pages ? './soak-pages.ts' : './soak-faults.ts');

export {};
