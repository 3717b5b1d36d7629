// OPEN (RFC 4271 §4.2): octets <-> message, with optional parameters in the base form and the extended one of
// RFC 9072. Structure is checked here, with the 2/x that belongs to it; whether the content suits this session
// (AS, identifier, hold time, role) is negotiate.ts's business.

import { ByteRangeError, ByteReader, ByteWriter } from '../../lib/bytes.ts';
import { type Capability, decodeCapability, encodeCapability } from './capabilities.ts';
import { ERROR, OPEN_ERROR } from './error-codes.ts';
import { HEADER_LENGTH, writeHeader } from './header.ts';
import { AS_TRANS, MESSAGE_TYPE, OPTIONAL_PARAMETER } from './iana.ts';
import { NotificationError } from './notification.ts';

const BGP_VERSION = 4;
const MAX_TWO_OCTET_AS = 65535;
const MAX_PARAMETER_LENGTH = 255;

export interface OpenMessage {
  /** The My Autonomous System field: 23456 where the AS needs four octets (RFC 6793 §4.1). */
  readonly myAs: number;
  /** Seconds, as offered. */
  readonly holdTime: number;
  /** BGP Identifier, unsigned. */
  readonly id: number;
  /** In the order of the message, over all its Capabilities parameters; repeated ones are all there. */
  readonly capabilities: readonly Capability[];
}

/** The AS of an OPEN: the one of capability 65 where it is there (RFC 6793 §4.1), else the My AS field. */
export function openAs(open: OpenMessage): number {
  for (const capability of open.capabilities) {
    if (capability.kind === 'four-octet-as') return capability.as;
  }
  return open.myAs;
}

/** What goes into the My Autonomous System field for an AS (RFC 6793 §3). */
export function myAsField(as: number): number {
  return as > MAX_TWO_OCTET_AS ? AS_TRANS : as;
}

/**
 * Reads `buffer[start, end)`, a whole OPEN that the framer has cut. Throws NotificationError 2/1 (data: the version
 * spoken here), 2/4 or 2/0.
 */
export function decodeOpen(buffer: Uint8Array, start: number, end: number): OpenMessage {
  const reader = new ByteReader(buffer, start + HEADER_LENGTH, end);
  try {
    const version = reader.uint8();
    if (version !== BGP_VERSION) {
      // RFC 4271 §6.2: the largest supported version below the one offered, or the smallest there is.
      throw openError(OPEN_ERROR.unsupportedVersion, Uint8Array.of(0, BGP_VERSION), `version ${version}`);
    }
    const myAs = reader.uint16();
    const holdTime = reader.uint16();
    const id = reader.uint32();
    const capabilities: Capability[] = [];
    readParameters(reader, capabilities);
    return { myAs, holdTime, id, capabilities };
  } catch (error) {
    // RFC 4271 §6.2: a length inside the message that does not fit is an OPEN error, subcode 0.
    if (error instanceof ByteRangeError) throw openError(OPEN_ERROR.unspecific, undefined, error.message);
    throw error;
  }
}

function readParameters(reader: ByteReader, capabilities: Capability[]): void {
  let length = reader.uint8();
  let extended = false;
  // RFC 9072 §2: with a non-zero length, type 255 in the place of the first parameter's selects the extended form,
  // whatever that length is.
  if (length !== 0) {
    const type = reader.uint8();
    if (type === OPTIONAL_PARAMETER.extendedLength) {
      extended = true;
      length = reader.uint16();
    }
    if (!extended) {
      const rest = reader.sub(length - 1);
      readParameter(type, rest.sub(rest.uint8()), capabilities);
      while (rest.remaining > 0) readParameter(rest.uint8(), rest.sub(rest.uint8()), capabilities);
    } else {
      const rest = reader.sub(length);
      while (rest.remaining > 0) readParameter(rest.uint8(), rest.sub(rest.uint16()), capabilities);
    }
  }
  if (reader.remaining > 0) {
    throw openError(OPEN_ERROR.unspecific, undefined, `${reader.remaining} octets after the parameters`);
  }
}

function readParameter(type: number, value: ByteReader, capabilities: Capability[]): void {
  // RFC 4271 §6.2: an unrecognised parameter is 2/4; RFC 9072 §3: so is 255 in any other place.
  if (type !== OPTIONAL_PARAMETER.capabilities) {
    throw openError(OPEN_ERROR.unsupportedParameter, undefined, `parameter ${type}`);
  }
  // RFC 5492 §4: one or more capabilities, each code, length, value.
  while (value.remaining > 0) {
    const code = value.uint8();
    const bytes = value.bytes(value.uint8());
    const { capability, fatal } = decodeCapability(code, bytes);
    if (fatal) throw openError(OPEN_ERROR.unspecific, undefined, `malformed capability ${code}`);
    capabilities.push(capability);
  }
}

/**
 * A whole OPEN. All capabilities go into one parameter (RFC 5492 §4), in the extended form only if the base form
 * cannot hold them (RFC 9072 §2); without any there is no parameter at all.
 */
export function encodeOpen(open: OpenMessage): Uint8Array {
  const value = new ByteWriter();
  for (const capability of open.capabilities) encodeCapability(value, capability);
  const parameter = value.finish();
  const writer = new ByteWriter(HEADER_LENGTH + 16 + parameter.length);
  writer.bytes(new Uint8Array(HEADER_LENGTH));
  writer.uint8(BGP_VERSION).uint16(open.myAs).uint16(open.holdTime).uint32(open.id);
  if (parameter.length === 0) {
    writer.uint8(0);
  } else if (parameter.length + 2 <= MAX_PARAMETER_LENGTH) {
    writer.uint8(parameter.length + 2);
    writer.uint8(OPTIONAL_PARAMETER.capabilities).uint8(parameter.length).bytes(parameter);
  } else {
    writer.uint8(MAX_PARAMETER_LENGTH).uint8(OPTIONAL_PARAMETER.extendedLength);
    writer.uint16(parameter.length + 3);
    writer.uint8(OPTIONAL_PARAMETER.capabilities).uint16(parameter.length).bytes(parameter);
  }
  const message = writer.finish();
  writeHeader(message, 0, message.length, MESSAGE_TYPE.open);
  return message;
}

function openError(subcode: number, data: Uint8Array | undefined, detail: string): NotificationError {
  return new NotificationError(ERROR.open, subcode, data, detail);
}
