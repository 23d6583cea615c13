import { createServer } from 'node:net';

// Writes the same bytes to whoever connects, so often per second or as often as it goes:
// node sender.ts SOCKET BYTES [FPS]

const [path, bytes, fps] = process.argv.slice(2) as [string, string, string | undefined];
const frame = Buffer.alloc(Number(bytes));
const server = createServer((socket) => {
  server.close();
  socket.on('error', () => process.exit());
  if (fps !== undefined) {
    setInterval(() => socket.write(frame), 1000 / Number(fps));
    return;
  }
  const flood = () => {
    while (socket.write(frame));
  };
  socket.on('drain', flood);
  flood();
});
server.listen(path, () => process.send?.('listening'));
process.on('disconnect', () => process.exit());
