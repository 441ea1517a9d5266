// The peer of the ingest bench, in a process of its own: a grpc-js server that takes Insert requests and gives back one fixed
// reply without reading them. It is told the reply by its parent and says its port.
import * as grpc from '@grpc/grpc-js';
import { INSERT_PATH, listen } from './insert-recorder.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

process.once('message', (base64: string) => {
  const reply = Buffer.from(base64, 'base64');
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  server.register(
    INSERT_PATH,
    (_call: unknown, send: grpc.sendUnaryData<Buffer>) => send(null, reply),
    asIs,
    asIs,
    'unary',
  );
  void listen(server).then((port) => process.send!(port));
});
