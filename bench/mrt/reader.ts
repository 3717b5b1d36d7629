// Reads an MRT file from end to end and calls back for each path, message and state change. The file streams through:
// nothing of it is kept. RFC 6396, RFC 8050.

import { type Bgp4mpHandlers, decodeBgp4mp } from './bgp4mp.ts';
import { MRT_TYPE, MrtError, type MrtRecord, RecordCutter } from './records.ts';
import { RibDecoder, type RibEntry } from './rib.ts';
import { readSource } from './source.ts';

export interface MrtHandlers extends Bgp4mpHandlers {
  onRibEntry?(entry: RibEntry): void;
}

export interface MrtSummary {
  records: number;
  /** Records of a type or subtype that is not decoded, as `type/subtype` -> how many. */
  skipped: Map<string, number>;
  /** Records whose content contradicts itself. */
  malformed: number;
  /** Octets after the last whole record: the file was cut off. */
  trailing: number;
}

/** Reads `path` (plain, gz or bz2) to its end. Throws MrtError where it is no MRT file at all. */
export async function readMrt(path: string, handlers: MrtHandlers): Promise<MrtSummary> {
  const summary: MrtSummary = { records: 0, skipped: new Map(), malformed: 0, trailing: 0 };
  const cutter = new RecordCutter();
  const rib = new RibDecoder();
  const onEntry = handlers.onRibEntry?.bind(handlers) ?? (() => {});

  const decode = (record: MrtRecord): boolean => {
    switch (record.type) {
      case MRT_TYPE.tableDump:
        return rib.tableDump(record, onEntry);
      case MRT_TYPE.tableDumpV2:
        return rib.tableDumpV2(record, onEntry);
      case MRT_TYPE.bgp4mp:
      case MRT_TYPE.bgp4mpEt:
        return decodeBgp4mp(record, handlers);
      default:
        return false;
    }
  };

  const onRecord = (record: MrtRecord): void => {
    summary.records++;
    try {
      if (decode(record)) return;
    } catch (error) {
      if (!(error instanceof MrtError)) throw error;
      summary.malformed++;
      return;
    }
    const key = `${record.type}/${record.subtype}`;
    summary.skipped.set(key, (summary.skipped.get(key) ?? 0) + 1);
  };

  for await (const chunk of readSource(path)) cutter.push(chunk, onRecord);
  summary.trailing = cutter.pending;
  return summary;
}
