/** The thread that reads bodies from a journal's file; see `BodyReading`. */
import { workerData } from 'node:worker_threads'
import { BatchReader } from './batch-reader.ts'
import { Inbox } from './inbox.ts'
import type { FromReader, ReaderData, ToReader } from './sqlite-messages.ts'
import { dataOf } from './thread-error.ts'

const { path, port, posted } = workerData as ReaderData
const inbox = new Inbox<ToReader>({ port, posted })
const answer = (message: FromReader, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

let reader: BatchReader | undefined
for (let message = inbox.next(); message.type === 'read'; message = inbox.next()) {
  try {
    reader ??= new BatchReader(path)
    const bodies = reader.bodies(message.batch)
    answer({ type: 'bodies', bodies }, [bodies.buffer])
  } catch (error) {
    answer({ type: 'unread', error: dataOf(error) })
  }
}
reader?.close()
answer({ type: 'closed' })
port.close()
