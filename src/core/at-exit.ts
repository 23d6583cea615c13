const acts = new Set<() => void>();

function onExit(): void {
  for (const act of [...acts]) act();
}

/**
 * Calls `act` when the process exits. With one listener for all: Node.js warns of more than ten, and each
 * of many workers may have a process that has to be ended.
 *
 * @returns a function that takes it back
 */
export function atExit(act: () => void): () => void {
  if (acts.size === 0) process.on('exit', onExit);
  acts.add(act);
  return () => {
    acts.delete(act);
    if (acts.size === 0) process.off('exit', onExit);
  };
}
