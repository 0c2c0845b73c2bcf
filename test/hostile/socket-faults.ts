import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { PkceFlowErrorCode } from '../../src/index.ts'
import type { SocketFault } from './hostile-server.ts'

/** Something that a server does on a connection, and what a client is to make of it. */
export interface FaultCase {
  does: string
  fault: SocketFault
  /** `no JSON`: a response that only who needs its JSON minds. */
  outcome: Extract<PkceFlowErrorCode, `server_${string}` | 'invalid_server_response'> | 'no JSON'
}

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const chunkedHead = `${head}transfer-encoding: chunked\r\n\r\n`

/** As much of it as fits, for ever. */
function pour(text: string): SocketFault {
  const bytes = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)))
  return (socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(bytes));
    }
    socket.on('drain', more)
    more()
  }
}

/** A little of it at a time, for ever. */
function drip(text: string): SocketFault {
  return (socket) => {
    const timer = setInterval(() => socket.write(text), 2)
    socket.once('close', () => clearInterval(timer))
  }
}

const say =
  (text: string | Buffer): SocketFault =>
  (socket) =>
    void socket.write(text)

const inTurn =
  (...faults: SocketFault[]): SocketFault =>
  (socket) => {
    for (const fault of faults) fault(socket)
  }

const close: SocketFault = (socket: Socket) => void socket.end()
const reset: SocketFault = (socket: Socket) => void socket.resetAndDestroy()

/** Those that would go on for ever. */
export const endless: readonly FaultCase[] = [
  { does: 'never answers', fault: () => undefined },
  { does: 'stops in the middle of the headers', fault: say('HTTP/1.1 200 OK\r\ncontent-ty') },
  { does: 'stops after the headers', fault: say(`${head}content-length: 100\r\n\r\n`) },
  { does: 'stops in the middle of the body', fault: say(`${head}content-length: 100\r\n\r\n{"a"`) },
  { does: 'drips the headers', fault: inTurn(say(head), drip('x:y\r\n')) },
  { does: 'drips the body', fault: inTurn(say(`${head}content-length: 99999\r\n\r\n`), drip(' ')) },
  { does: 'drips chunks', fault: inTurn(say(chunkedHead), drip('1\r\n \r\n')) },
  { does: 'drips 100 Continue', fault: drip('HTTP/1.1 100 Continue\r\n\r\n') },
  { does: 'drips 103 Early Hints', fault: drip('HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n') },
].map((fault) => ({ ...fault, outcome: 'server_timeout' as const }))

/** Those that send more than anybody wants. */
export const abundant: readonly FaultCase[] = [
  { does: 'pours out a body', fault: inTurn(say(`${head}\r\n`), pour(' ')) },
  {
    does: 'announces 64 MiB and sends them',
    fault: inTurn(say(`${head}content-length: ${64 * 1024 * 1024}\r\n\r\n`), pour(' ')),
  },
  {
    does: 'pours out chunks',
    fault: inTurn(say(chunkedHead), pour('400\r\n' + ' '.repeat(1024) + '\r\n')),
  },
  { does: 'pours out chunks of a byte', fault: inTurn(say(chunkedHead), pour('1\r\n \r\n')) },
  {
    does: 'pours out extensions of chunks',
    fault: inTurn(say(chunkedHead), pour(`1;${'a'.repeat(8_000)}\r\n \r\n`)),
  },
  { does: 'pours out one extension', fault: inTurn(say(`${chunkedHead}1;`), pour('a')) },
  { does: 'pours out the size of a chunk', fault: inTurn(say(chunkedHead), pour('0')) },
  { does: 'pours out headers', fault: inTurn(say(head), pour('x: y\r\n')) },
  { does: 'pours out one header', fault: inTurn(say(`${head}x: `), pour('y')) },
  { does: 'pours out a reason phrase', fault: inTurn(say('HTTP/1.1 200 '), pour('y')) },
  {
    does: 'pours out trailers',
    fault: inTurn(say(`${chunkedHead}2\r\n{}\r\n0\r\n`), pour('x: y\r\n')),
  },
  { does: 'pours out 100 Continue', fault: pour('HTTP/1.1 100 Continue\r\n\r\n') },
  {
    does: 'pours out 103 Early Hints',
    fault: pour(`HTTP/1.1 103 Early Hints\r\nlink: <${'x'.repeat(1_000)}>\r\n\r\n`),
  },
  { does: 'pours out empty lines', fault: pour('\r\n') },
].map((fault) => ({ ...fault, outcome: 'invalid_server_response' as const }))

/** 64 MiB. */
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '), { level: 1 })

/** Those that end. */
export const brief: readonly FaultCase[] = [
  { does: 'resets the connection before it answers', fault: reset, outcome: 'server_unavailable' },
  { does: 'closes the connection before it answers', fault: close, outcome: 'server_unavailable' },
  {
    does: 'resets the connection in the middle of the body',
    fault: (socket) =>
      void socket.write(`${head}content-length: 100\r\n\r\n{"a"`, () => socket.resetAndDestroy()),
    outcome: 'server_unavailable',
  },
  {
    does: 'closes the connection in the middle of the body',
    fault: inTurn(say(`${head}content-length: 100\r\n\r\n{"a":1}`), close),
    outcome: 'server_unavailable',
  },
  {
    does: 'closes the connection before the last chunk',
    fault: inTurn(say(`${chunkedHead}2\r\n{}\r\n`), close),
    outcome: 'server_unavailable',
  },
  {
    does: 'switches protocols',
    fault: say('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    outcome: 'invalid_server_response',
  },
  {
    does: 'speaks another protocol',
    fault: say('220 mail ESMTP\r\n'),
    outcome: 'invalid_server_response',
  },
  {
    does: 'speaks TLS where it should not',
    fault: say(Buffer.from([0x15, 3, 1, 0, 2, 2, 70])),
    outcome: 'invalid_server_response',
  },
  {
    does: 'says two lengths',
    fault: say(`${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`),
    outcome: 'invalid_server_response',
  },
  {
    does: 'says more than it announced',
    fault: say(`${head}content-length: 2\r\n\r\n{"access_token":"x"}`),
    outcome: 'invalid_server_response',
  },
  {
    does: 'sends a gzip bomb',
    fault: (socket) => {
      socket.write(
        `${head}content-encoding: gzip\r\nconnection: close\r\ncontent-length: ${bomb.length}\r\n\r\n`,
      )
      socket.end(bomb)
    },
    outcome: 'no JSON',
  },
  {
    does: 'answers with a page',
    fault: inTurn(
      say(
        'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: 5\r\n\r\n<!doc',
      ),
      close,
    ),
    outcome: 'no JSON',
  },
  {
    does: 'redirects to itself',
    fault: inTurn(
      say('HTTP/1.1 307 Again\r\nconnection: close\r\nlocation: ?\r\ncontent-length: 0\r\n\r\n'),
      close,
    ),
    outcome: 'invalid_server_response',
  },
]
