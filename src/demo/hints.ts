// What to try while the demonstration runs: commands that work as they are printed.

import { HOLD_TIME, HTTP_PORT } from './config-file.ts';
import { type Lab, labNode, SWITCH } from './lab.ts';
import { AGENT_PROTOCOL, SERVICE, SERVICE_HOST, TOR_HOST } from './plan.ts';

export interface Hint {
  readonly what: string;
  readonly commands: readonly string[];
}

/** A block that no node has yet. */
const NEW_BLOCK = '10.244.9.0/26';
const POD_OF_NODE1 = '10.244.1.1';
const BLOCK_OF_NODE2 = '10.244.2.0/26';

export interface HintOptions {
  /** How the command line is called. */
  readonly godwit: string;
  /** Whether a program is on the PATH. */
  readonly has: (program: string) => boolean;
}

export function hintsFor(lab: Lab, { godwit, has }: HintOptions): Hint[] {
  const { namespaceOf } = lab;
  const call = (name: string, words: string) => `${godwit} ${words} -s ${labNode(lab, name).socket}`;
  const url = `http://${labNode(lab, 'rr1').address}:${HTTP_PORT}/metrics`;
  const inRr1 = namespaceOf === undefined ? '' : `ip netns exec ${namespaceOf('rr1')} `;
  return [
    {
      what: 'Why this path and not another, who gets it, and what the kernel has of it',
      commands: [call('tor', `explain ${SERVICE}`)],
    },
    {
      what: 'Watch routes change at the other reflector (leave it running)',
      commands: [call('rr2', 'watch routes')],
    },
    ...(namespaceOf === undefined ? loopbackHints(call) : namespaceHints(lab, namespaceOf, { godwit, has })),
    {
      what: 'Take a session down with a reason that the peer gets to read, and up again',
      commands: [call('rr1', 'peer node3 down --reason "lunch break"'), call('rr1', 'peer node3 up')],
    },
    {
      what: `Edit ${labNode(lab, 'node2').configFile}, then apply the difference`,
      commands: [call('node2', 'reload')],
    },
    {
      what: `See what Prometheus would read${needs('curl', 'curl', has)}`,
      commands: [`${inRr1}curl -s ${url}`],
    },
  ];
}

function loopbackHints(call: (name: string, words: string) => string): Hint[] {
  return [
    {
      what: 'Announce a prefix from node1, and take it back',
      commands: [call('node1', `network add ${NEW_BLOCK}`), call('node1', `network del ${NEW_BLOCK}`)],
    },
  ];
}

function namespaceHints(
  lab: Lab,
  namespaceOf: (name: string) => string,
  { godwit, has }: HintOptions,
): Hint[] {
  const ip = (name: string, words: string) => `ip -n ${namespaceOf(name)} ${words}`;
  const at = (name: string, command: string) => `ip netns exec ${namespaceOf(name)} ${command}`;
  return [
    {
      what: `Send traffic: from tor to a pod and to the service, from a node out${needs('ping', 'iputils-ping', has)}`,
      commands: [
        at('tor', `ping -c 2 ${POD_OF_NODE1}`),
        at('tor', `ping -c 2 ${SERVICE_HOST}`),
        at('node3', `ping -c 2 ${TOR_HOST}`),
      ],
    },
    {
      what: "Be node1's agent: a new block in its kernel is announced at once",
      commands: [
        ip('node1', `route add blackhole ${NEW_BLOCK} proto ${AGENT_PROTOCOL}`),
        ip('tor', `route show ${NEW_BLOCK}`),
      ],
    },
    {
      what: "Delete one of godwit's routes behind its back, and find it repaired",
      commands: [ip('node1', `route del ${BLOCK_OF_NODE2}`), ip('node1', `route show ${BLOCK_OF_NODE2}`)],
    },
    {
      what: `Pull node2's cable; after the hold time of ${HOLD_TIME} s it leaves the equal paths. Plug it in again`,
      commands: [
        ip(SWITCH, 'link set node2 down'),
        ip('tor', `route show ${SERVICE}`),
        ip(SWITCH, 'link set node2 up'),
      ],
    },
    {
      what: "Kill node3's godwit: its kernel keeps forwarding. Start it again",
      commands: [
        `kill -9 $(ip netns pids ${namespaceOf('node3')})`,
        ip('node3', 'route'),
        at('node3', `${godwit} run -c ${labNode(lab, 'node3').configFile}`),
      ],
    },
  ];
}

function needs(program: string, debianPackage: string, has: HintOptions['has']): string {
  return has(program) ? '' : ` (needs ${program}: apt install ${debianPackage})`;
}
