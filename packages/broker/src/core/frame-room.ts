import { isFinished, type State, type Task } from '@sluice/engine'
import { utf8Length } from '@sluice/protocol'

/** The size of a one-task message without names and body: an id, a lease, a few numbers. */
const HEADER_BYTES = 256

/**
 * The frame bytes for one body with its names, in either frame kind: at most those of base64 (RFC 4648) in a text
 * frame.
 */
export function frameBytesFor(bodyBytes: number, queueLength: number, contentTypeLength: number): number {
  // A printable content type needs at most one escape per character, and a queue name needs none.
  return HEADER_BYTES + queueLength + 2 * contentTypeLength + 4 * Math.ceil(bodyBytes / 3)
}

/** The frame bytes for progress. The rest of a status may take as much again. */
export function frameBytesForProgress(progressBytes: number): number {
  return 2 * progressBytes
}

/** `frameBytesMax` is smaller than something that the broker already holds. */
export class StoredTooLargeError extends RangeError {
  override name = 'StoredTooLargeError'
}

interface Part {
  task: Task
  what: 'body' | 'result' | 'progress'
  bytes: number
  frameBytes: number
}

/**
 * Checks that everything that is held for a client fits into a frame. What does not fit could never be sent: the client
 * would be cut off, reconnect, and be cut off again.
 * @throws StoredTooLargeError that names the largest item and what to do
 */
export function assertFrameRoom(state: State, frameBytesMax: number): void {
  let count = 0
  let largest: Part | undefined
  for (const task of state.tasks.values()) {
    for (const part of partsOf(task)) {
      if (part.frameBytes <= frameBytesMax) continue
      count += 1
      if (largest === undefined || part.frameBytes > largest.frameBytes) largest = part
    }
  }
  if (largest === undefined) return
  const { task, what, bytes, frameBytes } = largest
  const others = count === 1 ? '' : `, and ${count - 1} more are too large`
  throw new StoredTooLargeError(
    `frameBytesMax (${frameBytesMax}) is too small for what is stored: task ${task.id} of queue ${task.queue.name} has ` +
      `${what === 'progress' ? what : `a ${what}`} of ${bytes} bytes, which takes a frame of ${frameBytes}${others}. ` +
      `Set frameBytesMax to ${frameBytes} at least, until no such task is held any more`,
  )
}

function partsOf(task: Task): Part[] {
  const { phase, queue, past } = task
  const parts: Part[] = []
  const add = (what: 'body' | 'result', bytes: number, contentType: string | undefined): void => {
    const frameBytes = frameBytesFor(bytes, queue.name.length, contentType?.length ?? 0)
    parts.push({ task, what, bytes, frameBytes })
  }
  // A dead letter may be redriven.
  if (!isFinished(task) || phase.state === 'dead') add('body', task.bytes, task.acceptance.contentType)
  if (phase.state === 'succeeded') add('result', task.resultBytes, phase.contentType)
  if (past.progress !== undefined) {
    const bytes = utf8Length(JSON.stringify(past.progress))
    parts.push({ task, what: 'progress', bytes, frameBytes: frameBytesForProgress(bytes) })
  }
  return parts
}
