import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { globSync } from 'tinyglobby';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';

const root = packageDirectory();
const site = join(root, 'docs/.vitepress/dist');

/** Ids and links of one page of the site. */
interface Page {
  readonly ids: ReadonlySet<string>;
  readonly links: readonly string[];
}

/** Every page by its URL. */
function readSite(): Map<string, Page> {
  const pages = new Map<string, Page>();
  for (const file of globSync('**/*.html', { cwd: site })) {
    const html = readFileSync(join(site, file), 'utf8');
    const values = (pattern: RegExp) => [...html.matchAll(pattern)].map(([, value]) => value ?? '');
    pages.set(`/${file.replace(/(^|\/)index\.html$|\.html$/, '$1')}`, {
      ids: new Set(values(/\sid="([^"]+)"/g)),
      links: values(/<a[^>]*\shref="([^"]+)"/g),
    });
  }
  return pages;
}

describe('the documentation site', () => {
  let pages: Map<string, Page>;
  beforeAll(() => {
    // VitePress fails on a link to a page that does not exist, our plug-in on one to a missing file.
    const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'docs'], {
      cwd: root,
      encoding: 'utf8',
      timeout: 540_000,
      env: { ...process.env, NODE_ENV: 'production', VITEST: undefined },
    });
    expect(stdout + stderr).not.toMatch(/dead link/);
    expect(status, stderr).toBe(0);
    pages = readSite();
  }, 600_000);

  it('has its guide, its references and the API', () => {
    expect([...pages.keys()]).toEqual(
      expect.arrayContaining([
        '/',
        '/getting-started',
        '/reference',
        '/writing-components',
        '/ARCHITECTURE',
        '/contributing',
        '/changelog',
        '/api/',
        '/api/depthline/functions/defineOperator',
      ]),
    );
  });

  it('links only to pages, sections and files that it has', () => {
    const dead: string[] = [];
    for (const [url, { links }] of pages) {
      for (const link of links) {
        if (/^[a-z]+:/.test(link)) continue;
        const target = new URL(link, `http://site${url}`);
        const path = decodeURI(target.pathname);
        const page = pages.get(path);
        const found = page
          ? target.hash === '' || page.ids.has(decodeURIComponent(target.hash.slice(1)))
          : existsSync(join(site, path));
        if (!found) dead.push(`${url} → ${link}`);
      }
    }
    expect(dead).toEqual([]);
  });

  it('draws its diagrams while it is built', () => {
    const architecture = readFileSync(join(site, 'ARCHITECTURE.html'), 'utf8');
    expect(architecture).toMatch(/<div class="mermaid"[^>]*><svg/);
  });

  it('can be searched', () => {
    const indices = globSync('assets/chunks/@localSearchIndex*.js', { cwd: site });
    expect(indices).toHaveLength(1);
    const index = readFileSync(join(site, indices[0] as string), 'utf8');
    for (const page of [
      '/depth-topic',
      '/writing-components',
      '/api/depthline/functions/mapAsync',
    ]) {
      expect(index).toContain(page);
    }
  });
});

describe('the Markdown files of the repository', () => {
  it('link only to files that exist', () => {
    const files = globSync(['*.md', 'docs/*.md', 'training/*.md', '.github/**/*.md'], {
      cwd: root,
    });
    const dead = files.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8').replace(/```.*?```/gs, '');
      return [...text.matchAll(/\]\((?![a-z]+:|#|\/)([^)#\s]+)/g)]
        .map(([, path = '']) => join(file, '..', path))
        .filter((path) => !existsSync(join(root, path)))
        .map((path) => `${relative('.', file)} → ${path}`);
    });
    expect(dead).toEqual([]);
  });
});
