// The thread that owns the netlink sockets: NetlinkKernelCore behind a message port. Requests are handled in order;
// a scan lets later ones pass between its parts. Only the waiting for notifications is left to the main thread, whose
// event loop can watch a descriptor safely; reading them happens here.

import { type MessagePort, parentPort } from 'node:worker_threads';
import { errorText } from '../../lib/error-text.ts';
import { NetlinkKernelCore } from './kernel-core.ts';
import { loadLibc } from './libc.ts';
import { rowBuffers, type WorkerReport, type WorkerRequest } from './worker-protocol.ts';

async function serve(port: MessagePort): Promise<void> {
  const post = (report: WorkerReport, transfer: ArrayBuffer[] = []) => port.postMessage(report, transfer);
  let onReadable = () => {};
  const kernel = new NetlinkKernelCore(await loadLibc(), (fd, callback) => {
    onReadable = () => {
      callback();
      post({ kind: 'rearm' });
    };
    post({ kind: 'listen', fd });
    return () => {
      onReadable = () => {};
    };
  });

  async function handle(request: WorkerRequest): Promise<void> {
    switch (request.kind) {
      case 'define':
        kernel.defineTarget(request.targetId, request.target);
        return;
      case 'apply':
        post({ kind: 'applied', id: request.id, failures: await kernel.apply(request.batch) });
        return;
      case 'scan': {
        const { id } = request;
        const { complete } = await kernel.scanRoutes(request.addressBytes, (rows) =>
          post({ kind: 'scanned', id, rows }, rowBuffers(rows)),
        );
        post({ kind: 'scanEnd', id, complete });
        return;
      }
      case 'links':
        post({ kind: 'links', id: request.id, links: await kernel.dumpLinks() });
        return;
      case 'addresses':
        post({ kind: 'addresses', id: request.id, addresses: await kernel.dumpAddresses() });
        return;
      case 'watch':
        await kernel.watch({
          onRoutes: (rows) => post({ kind: 'routes', rows }, rowBuffers(rows)),
          onLink: (change, link) => post({ kind: 'link', change, link }),
          onAddress: (change, address) => post({ kind: 'address', change, address }),
          onOverrun: () => post({ kind: 'overrun' }),
          onRoutesLost: () => post({ kind: 'routesLost' }),
          onFailure: (error) => post({ kind: 'failure', message: error.message }),
        });
        post({ kind: 'done', id: request.id });
        return;
      case 'readable':
        onReadable();
        return;
      case 'close':
        await kernel.close();
        post({ kind: 'done', id: request.id });
        port.close();
        return;
    }
  }

  port.on('message', (request: WorkerRequest) => {
    handle(request).catch((error: unknown) => {
      const message = errorText(error);
      post('id' in request ? { kind: 'refused', id: request.id, message } : { kind: 'failure', message });
    });
  });
  post({ kind: 'ready' });
}

if (parentPort === null) throw new Error('netlink-worker runs as a worker thread only');
await serve(parentPort);
