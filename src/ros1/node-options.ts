import { z } from 'zod';
import { isLoopback } from '../core/loopback.ts';

/** Options of a node of ROS 1. */
export const nodeOptions = {
  master: z
    .url({ protocol: /^http$/, error: 'must be the address of a master: http://HOST:11311' })
    .optional()
    .describe('address of the ROS master; default: ROS_MASTER_URI, else http://127.0.0.1:11311'),
  host: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'name or address of this machine for other nodes; default: ROS_HOSTNAME or ROS_IP, else the address at which the master reaches it',
    ),
  node: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]*(\/[A-Za-z][A-Za-z0-9_]*)*$/, {
      error: 'must be letters, digits and "_", such as front_depth',
    })
    .optional()
    .describe('name of the node; default: a name that no other node has'),
} as const;

export interface NodeOptions {
  readonly master?: string | undefined;
  readonly host?: string | undefined;
  readonly node?: string | undefined;
}

let nodes = 0;

/** What the options and the environment of ROS say. */
export function resolvedNode({ master, host, node }: NodeOptions) {
  return {
    master: master ?? process.env.ROS_MASTER_URI ?? 'http://127.0.0.1:11311',
    host,
    name: node ?? `depthline_${process.pid}_${Date.now()}_${++nodes}`,
  };
}

/** A warning where others on the network can connect: ROS 1 knows neither encryption nor passwords. */
export function nodeWarnings(options: NodeOptions): string[] {
  const { master } = resolvedNode(options);
  const host = options.host ?? process.env.ROS_HOSTNAME ?? process.env.ROS_IP;
  const name = URL.canParse(master) ? new URL(master).hostname : master;
  if (isLoopback(host ?? name)) return [];
  return [
    `ROS 1 has no encryption and no passwords: everyone who reaches ${host ?? 'this machine'} can connect; use it in a network of your own`,
  ];
}
