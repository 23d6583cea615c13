/** No mutants of texts for people: a test of each would only repeat it. */
const shouldIgnore = (path) => {
  const { parent } = path;
  const isText = path.isStringLiteral() || path.isTemplateLiteral();
  if (!isText || !parent || parent.type !== 'CallExpression') return undefined;
  return parent.callee.property?.name === 'describe' ? 'the description of an option' : undefined;
};

export const strykerPlugins = [{ kind: 'Ignore', name: 'texts', value: { shouldIgnore } }];
