// TCP-AO keys of a peer as written -> those of the model, with what must hold between them (RFC 5925 §3.1: an id names
// one key in a direction). Whether the kernel has TCP-AO is found out when it is wanted: a configuration may be
// checked elsewhere.

import type { IssueList } from './issues.ts';
import type { TcpAoKeyConfig } from './model.ts';
import type { Path } from './nodes.ts';
import type { AuthenticationInput } from './schema-tcp-ao.ts';
import type { SecretReader } from './secrets.ts';

type KeyInput = Exclude<AuthenticationInput, false>['keys'][number];

/** `path`: where `input` stands. Undefined where there is none; what is wrong is reported. */
export function readAuthentication(
  input: AuthenticationInput | undefined,
  path: Path,
  secrets: SecretReader,
  issues: IssueList,
): readonly TcpAoKeyConfig[] | undefined {
  if (input === undefined || input === false) return undefined;
  const keys = input.keys.flatMap((key, i) => readKey(key, [...path, 'keys', i], secrets, issues) ?? []);
  for (const direction of ['sendId', 'receiveId'] as const) {
    const ids = keys.map((key) => key[direction]);
    const twice = ids.find((id, i) => ids.indexOf(id) !== i);
    if (twice === undefined) continue;
    issues.error([...path, 'keys'], `two keys have the ${WORDS[direction]} ${twice}`, 'give each its own');
    // Keys with one id say so once.
    break;
  }
  if (keys.filter((key) => key.use === 'preferred').length > 1) {
    issues.error([...path, 'keys'], 'two keys are preferred', 'the peer can be asked for one of them');
  } else if (keys.length > 0 && keys.every((key) => key.use === 'deprecated')) {
    issues.error([...path, 'keys'], 'all keys are deprecated', 'one is needed to sign with');
  }
  return keys;
}

const WORDS = { sendId: 'id for sending', receiveId: 'id for receiving' } as const;

function readKey(
  input: KeyInput,
  path: Path,
  secrets: SecretReader,
  issues: IssueList,
): TcpAoKeyConfig | undefined {
  const sendId = input.sendId ?? input.id;
  const receiveId = input.receiveId ?? input.id;
  if (sendId === undefined || receiveId === undefined) {
    issues.error(path, 'the key has no id', 'add id: 1, or sendId and receiveId');
  }
  if (input.preferred === true && input.deprecated === true) {
    issues.error([...path, 'deprecated'], 'a key cannot be preferred and deprecated', 'take one of them out');
  }
  if (input.password === false) {
    issues.error([...path, 'password'], 'a TCP-AO key needs a password', 'authentication: false for none');
  }
  const password = secrets.read(input.password, [...path, 'password']);
  if (sendId === undefined || receiveId === undefined || password === undefined) return undefined;
  return {
    sendId,
    receiveId,
    algorithm: input.algorithm ?? 'hmac-sha1',
    secret: password,
    use: input.preferred === true ? 'preferred' : input.deprecated === true ? 'deprecated' : 'normal',
  };
}
