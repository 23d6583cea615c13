import { execFileSync } from 'node:child_process';

/** Workers, child processes and the page are taken from `dist/`, so the tests build it first. */
export function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
