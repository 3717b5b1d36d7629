// What the two kinds of demonstration have in common: six speakers behind control sockets, their files, their
// kernels' tables.

import { join } from 'node:path';
import type { DemoNode, Plan } from './plan.ts';

/** The demonstration cannot run here; the message says why and what would help. */
export class DemoError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DemoError';
  }
}

export interface LabNode extends DemoNode {
  readonly configFile: string;
  readonly logFile: string;
  readonly socket: string;
}

export interface Lab {
  readonly plan: Plan;
  readonly directory: string;
  readonly nodes: readonly LabNode[];
  /** The namespace of a speaker, or of the switch between them (SWITCH); undefined where there are no namespaces. */
  readonly namespaceOf: ((name: string) => string) | undefined;
  /** Makes the network and starts the speakers; what is half made is removed by `stop`. */
  start(): Promise<void>;
  /** What `ip route` says at a node, both versions one after the other. */
  routes(node: LabNode): Promise<string>;
  /** Why a speaker is not running any more; undefined while it is. */
  ended(node: LabNode): string | undefined;
  /** Stops the speakers and removes what was made. */
  stop(): Promise<void>;
}

/** Stands for the switch between the speakers; its ports are called as the speakers at their other ends. */
export const SWITCH = 'net';

/** The files of the plan's speakers in a directory. */
export function labNodes(plan: Plan, directory: string): LabNode[] {
  return plan.nodes.map((node) => {
    const file = (extension: string) => join(directory, `${node.name}.${extension}`);
    return { ...node, configFile: file('yaml'), logFile: file('log'), socket: file('sock') };
  });
}

export function labNode(lab: Lab, name: string): LabNode {
  const node = lab.nodes.find((each) => each.name === name);
  if (node === undefined) throw new RangeError(`the demonstration has no ${name}`);
  return node;
}
