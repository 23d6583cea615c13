const codes = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED']);

/**
 * What to do about a package of ours that cannot be loaded: it is missing, or its native library does
 * not fit this machine. Nothing for other errors.
 */
export function packageProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (!codes.has(code)) return undefined;
  const [why = ''] = message.split('\n');
  const name =
    /(?:package|module) '((?:@[^/']+\/)?[^./'][^/']*)/.exec(why)?.[1] ??
    /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(why)?.[1];
  if (name === undefined) return undefined;
  // Without it, the install script of onnxruntime-node downloads CUDA libraries, or fails without a network.
  const setting = name === 'onnxruntime-node' ? 'ONNXRUNTIME_NODE_INSTALL=skip ' : '';
  return `the package ${name} cannot be loaded: ${why}; reinstall it with: ${setting}npm install ${name}`;
}
