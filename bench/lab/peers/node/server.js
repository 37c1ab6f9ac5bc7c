// usage: server.js tcp|unix|udp|tls ADDR
const dgram = require('dgram'), fs = require('fs'), net = require('net'), tls = require('tls');
const [, , mode, addr] = process.argv;

function echo(socket) {
  socket.on('data', data => socket.write(data));
  socket.on('error', () => socket.destroy());
}

if (mode === 'udp') {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (message, peer) => socket.send(message, peer.port, peer.address));
  socket.bind(+addr);
} else if (mode === 'unix') {
  fs.rmSync(addr, { force: true });
  net.createServer(echo).listen({ path: addr, backlog: 4096 });
} else if (mode === 'tls') {
  const certs = process.env.CERTS;
  const options = { key: fs.readFileSync(certs + '/key.pem'), cert: fs.readFileSync(certs + '/cert.pem'), minVersion: 'TLSv1.3', noDelay: true };
  tls.createServer(options, echo).listen({ port: +addr, host: '0.0.0.0', backlog: 4096 });
} else {
  net.createServer({ noDelay: true }, echo).listen({ port: +addr, host: '0.0.0.0', backlog: 4096 });
}
