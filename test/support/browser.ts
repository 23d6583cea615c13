import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Debian's Chromium, without a window. */
export function openBrowser(): Promise<Browser> {
  if (!existsSync(executablePath))
    throw new Error('Chromium is missing; install it with "apt-get install chromium"');
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      // WebGL on the processor, as there is no graphics card here.
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
      // Names that only tests use.
      '--host-resolver-rules=MAP *.example 127.0.0.1',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
