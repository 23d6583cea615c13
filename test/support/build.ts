import { execFileSync } from 'node:child_process';

/** Workers and child processes start from `dist/`, so the tests build it first. */
export function setup(): void {
  execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
}
