/** `value` as a fraction of small whole numbers, by continued fractions. */
export function fraction(value: number): string {
  let [n0, d0, n1, d1] = [0, 1, 1, 0];
  let rest = value;
  for (;;) {
    const whole = Math.floor(rest);
    [n0, d0, n1, d1] = [n1, d1, whole * n1 + n0, whole * d1 + d0];
    const close = Math.abs(n1 / d1 - value) < 1e-6;
    if (close || d1 > 1000 || n1 > 100_000) return `${n1}/${d1}`;
    rest = 1 / (rest - whole);
  }
}
