import { cpSync, existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderMermaidSVG } from 'beautiful-mermaid';
import type { MarkdownRenderer } from 'vitepress';

const docs = fileURLToPath(new URL('..', import.meta.url));
const root = dirname(docs.replace(/\/$/, ''));

/** Pages that include a file of the repository's root: its links start there. */
const included = new Set(['contributing.md', 'changelog.md']);

/** Files outside `docs/` that pages link to; the site carries a copy of each. */
const linkedFiles = new Set<string>();

/** Draws ```mermaid blocks while the site is built, so that readers load no renderer. */
export function mermaid(md: MarkdownRenderer): void {
  const fence = md.renderer.rules.fence as NonNullable<typeof md.renderer.rules.fence>;
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index];
    if (token?.info.trim() !== 'mermaid') return fence(tokens, index, options, env, self);
    const svg = renderMermaidSVG(token.content, {
      bg: 'var(--vp-c-bg)',
      fg: 'var(--vp-c-text-1)',
      transparent: true,
    });
    // The site's own font, so that a page loads nothing from elsewhere.
    const own = svg.replace(/@import url\([^)]*\);/, '').replaceAll("'Inter', ", '');
    return `<div class="mermaid" v-pre>${own}</div>`;
  };
}

/**
 * Links between files of the repository work on the site too: those to pages of the root lead to the
 * pages that include them, those to files outside `docs/` to a copy, and those to folders become text.
 */
export function outsideLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('outside-links', ({ tokens, env }) => {
    const page: string = env.relativePath ?? '';
    const from = included.has(page) ? root : dirname(join(docs, page));
    for (const { children } of tokens) {
      for (const [index, token] of (children ?? []).entries()) {
        if (token.type !== 'link_open') continue;
        const href = token.attrGet('href') ?? '';
        if (/^([a-z]+:|#|\/)/.test(href)) continue;
        const [path = '', anchor] = href.split('#');
        const target = resolve(from, decodeURI(path));
        const link = siteLink(target, page);
        if (link === undefined) {
          unlink(children ?? [], index);
        } else if (link !== target) {
          token.attrSet('href', anchor === undefined ? link : `${link}#${anchor}`);
          if (link.startsWith('/files/')) token.attrSet('target', '_blank');
        }
      }
    }
  });
}

/** Where the site has `target`: a link, `target` itself if it needs none, nothing for a folder. */
function siteLink(target: string, page: string): string | undefined {
  if (target === join(root, 'CONTRIBUTING.md')) return '/contributing';
  if (target === join(root, 'CHANGELOG.md')) return '/changelog';
  if (target.startsWith(docs)) {
    return included.has(page) ? `/${relative(docs, target)}` : target;
  }
  if (!existsSync(target)) throw new Error(`${page} links to ${target}, which does not exist`);
  if (statSync(target).isDirectory()) return undefined;
  const path = relative(root, target);
  linkedFiles.add(path);
  return `/files/${path}`;
}

function unlink(children: { type: string; tag: string; attrs: unknown }[], open: number): void {
  const close = children.findIndex(({ type }, i) => i > open && type === 'link_close');
  for (const i of [open, close]) {
    const token = children[i];
    if (token) Object.assign(token, { type: i === open ? 'em_open' : 'em_close', tag: 'em' });
    if (token) token.attrs = null;
  }
}

export function copyLinkedFiles(outDir: string): void {
  for (const path of linkedFiles) {
    cpSync(join(root, path), join(outDir, 'files', path), { recursive: true });
  }
}
