// The service as grpc-js wants it, made from the .proto file at run time: protobufjs parses and encodes, so no
// generated code lies in the tree and the file that users read is the one that runs.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MethodDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { packageRoot } from '../../lib/package-info.ts';
import { SERVICE_NAME } from '../protocol.ts';
import { CodecFactory } from './codec.ts';

const PROTO_FILE = 'proto/godwit/v1/godwit.proto';

export type Method = MethodDefinition<object, object>;

export interface Schema {
  /** Method name -> definition, in the order of the file. */
  readonly methods: ReadonlyMap<string, Method>;
  /** For tests and tools: the reflected file. */
  readonly root: protobuf.Root;
}

/** Reads and compiles the .proto file; some milliseconds. Throws where the installation is incomplete. */
export function loadSchema(): Schema {
  const text = readFileSync(join(packageRoot(), PROTO_FILE), 'utf8');
  const { root } = protobuf.parse(text, new protobuf.Root(), { keepCase: false });
  root.resolveAll();
  const service = root.lookupService(SERVICE_NAME);
  const codecs = new CodecFactory();
  const methods = new Map<string, Method>();
  for (const method of service.methodsArray) {
    method.resolve();
    if (method.resolvedRequestType === null || method.resolvedResponseType === null) {
      throw new Error(`${PROTO_FILE}: ${method.name} names an unknown message`);
    }
    const request = codecs.codec(method.resolvedRequestType);
    const response = codecs.codec(method.resolvedResponseType);
    methods.set(method.name, {
      path: `/${SERVICE_NAME}/${method.name}`,
      requestStream: false,
      responseStream: method.responseStream === true,
      requestSerialize: (value) => request.encode(value),
      requestDeserialize: (bytes) => request.decode(bytes),
      responseSerialize: (value) => response.encode(value),
      responseDeserialize: (bytes) => response.decode(bytes),
    });
  }
  return { methods, root };
}
