/**
 * Whether two subjects can be the same one. In either, `*` stands for one word and `>` at the end for one
 * or more.
 */
export function subjectsMeet(one: string, other: string): boolean {
  const a = one.split('.');
  const b = other.split('.');
  for (let index = 0; ; index++) {
    const [word, its] = [a[index], b[index]];
    if (word === undefined || its === undefined) return word === its;
    if (word === '>' || its === '>') return true;
    if (word !== its && word !== '*' && its !== '*') return false;
  }
}
