import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pythonWith } from '../support/python.ts';

const python = pythonWith('ast');
const examples = new URL('../../examples/', import.meta.url);

/** What a script imports of `depth_subscriber`, and all that it defines itself, by the parser of Python. */
const parse = `
import ast, json, sys
tree = ast.parse(open(sys.argv[1]).read())
used = [a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "depth_subscriber" for a in n.names]
print(json.dumps({"used": used, "defined": [n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]}))
`;
const parsed = (name: string) =>
  JSON.parse(
    execFileSync(python, ['-c', parse, new URL(name, examples).pathname], { encoding: 'utf8' }),
  ) as { used: string[]; defined: string[] };

it.each(['ros2_depth_node.py', 'rerun_depth.py'])(
  '%s is Python, uses what the subscriber has, and says that it was never run',
  (name) => {
    const { used } = parsed(name);
    const { defined } = parsed('depth_subscriber.py');
    expect(used).toEqual(['subscribe_depth']);
    expect(defined).toEqual(expect.arrayContaining(used));
    expect(readFileSync(new URL(name, examples), 'utf8')).toContain('Never run');
  },
);
