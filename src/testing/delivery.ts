import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { lowerCased, type Answer } from './answer.ts'
import { isDelivery, type AppliedFault } from './misbehaviours.ts'

const mebibyte = 1024 * 1024

/** Waits until every promise settled and every delay is over. */
export async function delay(faults: readonly AppliedFault[]): Promise<void> {
  for (const { delay: wait } of faults)
    if (typeof wait === 'number') await pause(wait)
    else await Promise.allSettled([wait])
}

/** The fault that replaces or spoils the answer, if there is one. */
export function deliveryFault(faults: readonly AppliedFault[]): AppliedFault | undefined {
  return faults.find(isDelivery)
}

/** Whether the fault needs the usual answer, or can do without. */
export function replacesAnswer(fault: AppliedFault): boolean {
  return fault.drip === undefined && fault.reset !== 'mid-body'
}

/** Sends the usual answer, or what the fault makes of it. `usual` is absent when it is not needed. */
export async function deliver(
  response: ServerResponse,
  fault: AppliedFault | undefined,
  usual: Answer | undefined,
): Promise<void> {
  if (fault?.hang) return
  if (fault?.reset === 'before-response') response.destroy()
  else if (fault?.huge !== undefined) await sendHuge(response, fault.huge)
  else if (fault?.answer) send(response, faultyAnswer(fault.answer))
  else if (!usual) throw new Error('There is nothing to answer')
  else if (fault?.reset) resetMidBody(response, usual)
  else if (fault?.drip !== undefined) await drip(response, usual, fault.drip)
  else send(response, usual)
}

function faultyAnswer(answer: NonNullable<AppliedFault['answer']>): Answer {
  const isJson = answer.json !== undefined
  return {
    status: answer.status ?? 200,
    headers: {
      'content-type': isJson ? 'application/json' : 'text/html; charset=utf-8',
      ...lowerCased(answer.headers ?? {}),
    },
    body: isJson ? JSON.stringify(answer.json) : (answer.body ?? ''),
  }
}

function writeHead(response: ServerResponse, answer: Answer): Buffer {
  const body = Buffer.from(answer.body)
  response.writeHead(answer.status, { 'content-length': body.length, ...answer.headers })
  return body
}

function send(response: ServerResponse, answer: Answer): void {
  response.end(writeHead(response, answer))
}

function resetMidBody(response: ServerResponse, answer: Answer): void {
  const body = writeHead(response, answer)
  response.write(body.subarray(0, Math.ceil(body.length / 2)), () => response.destroy())
}

async function drip(response: ServerResponse, answer: Answer, pauseFor: number): Promise<void> {
  const body = writeHead(response, answer)
  response.flushHeaders()
  for (let at = 0; at < body.length && !response.destroyed; at += 1) {
    await pause(pauseFor)
    response.write(body.subarray(at, at + 1))
  }
  response.end()
}

async function sendHuge(response: ServerResponse, size: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write('{"padding":"')
  const chunk = Buffer.alloc(mebibyte / 16, 'x')
  for (let sent = 0; sent < size * mebibyte && !response.destroyed; sent += chunk.length)
    // Without waiting for the reader all of it would lie in memory.
    await new Promise<void>((resolve) => {
      const done = (): void => {
        response.off('close', done)
        resolve()
      }
      response.once('close', done)
      response.write(chunk, done)
    })
  response.end('"}')
}

/** Does not keep the process alive: the waiting client's connection does. */
function pause(milliseconds: number): Promise<void> {
  return milliseconds > 0 ? sleep(milliseconds, undefined, { ref: false }) : nextTurn()
}
