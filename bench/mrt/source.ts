// Opens an MRT file as a stream of plain bytes: as it is, gunzipped or bunzipped. A file that was cut off
// delivers everything up to the cut, because archives of the first megabyte of a table are common test data.
// What the bytes mean is records.ts's business.

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { constants, createGunzip } from 'node:zlib';
import unbzip2 from 'unbzip2-stream';

const READ_SIZE = 1 << 18;
const GZIP_MAGIC = [0x1f, 0x8b];
const BZIP2_MAGIC = [0x42, 0x5a, 0x68];

/**
 * The decompressed content of `path`, in chunks. The format is told by the first octets, not by the name.
 * Throws what the file system and the decompressors throw.
 */
export async function* readSource(path: string): AsyncGenerator<Uint8Array> {
  const magic = await firstOctets(path, BZIP2_MAGIC.length);
  if (startsWith(magic, GZIP_MAGIC)) yield* gunzip(path);
  else if (startsWith(magic, BZIP2_MAGIC)) yield* bunzip2(path);
  else yield* createReadStream(path, { highWaterMark: READ_SIZE });
}

async function firstOctets(path: string, count: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((octet, i) => bytes[i] === octet);
}

async function* gunzip(path: string): AsyncGenerator<Uint8Array> {
  // SYNC_FLUSH at the end: a cut-off member gives what it has instead of an error.
  const inflate = createGunzip({ chunkSize: READ_SIZE, finishFlush: constants.Z_SYNC_FLUSH });
  const input = createReadStream(path, { highWaterMark: READ_SIZE });
  input.on('error', (error) => inflate.destroy(error));
  yield* input.pipe(inflate);
}

async function* bunzip2(path: string): AsyncGenerator<Uint8Array> {
  const decompress = unbzip2();
  const ready: Uint8Array[] = [];
  let failure: Error | undefined;
  let delivered = false;
  decompress.on('data', (chunk: Uint8Array) => ready.push(chunk));
  decompress.on('error', (error: Error) => {
    failure ??= error;
  });
  for await (const chunk of createReadStream(path, { highWaterMark: READ_SIZE })) {
    decompress.write(chunk);
    delivered ||= ready.length > 0;
    yield* ready.splice(0);
    if (failure !== undefined) break;
  }
  if (failure === undefined) decompress.end();
  delivered ||= ready.length > 0;
  yield* ready.splice(0);
  // The library fails at the cut of a file that was cut off, after it has given every whole block.
  if (failure !== undefined && !delivered) throw failure;
}
