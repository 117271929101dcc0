// Submits a task to a Sluice broker and works it, with the platform's own WebSocket and text frames: see PROTOCOL.md.
// node raw-client.js [queue] [ws://127.0.0.1:7331]
const queue = process.argv[2] ?? 'raw-client'
const url = process.argv[3] ?? process.env.SLUICE_URL ?? 'ws://127.0.0.1:7331'

/** A UUIDv7: 48 bits of time, version, random bits. */
function taskId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  new DataView(bytes.buffer).setUint32(0, Math.floor(Date.now() / 65536))
  new DataView(bytes.buffer).setUint16(4, Date.now() % 65536)
  bytes[6] = (bytes[6] & 0x0f) | 0x70
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const id = taskId()
const socket = new WebSocket(url, 'sluice.v1')
const send = (...messages) => socket.send(JSON.stringify(messages))
let ref = 0
let heartbeat
let hasOutcome = false
let unsettled = 0

/** Bodies are JSON inline, or anything else in base64. */
const bodiesOf = (message) => message.bodies ?? message.base64.map(atob)

const on = {
  welcome({ version, durability, heartbeatMs }) {
    console.log(`connected: version ${version}, durability ${durability}`)
    heartbeat = setInterval(() => send({ type: 'ping', ref: ++ref }), heartbeatMs)
    send(
      { type: 'credit', credit: 1, queues: [queue] },
      { type: 'submit', ref: ++ref, queue, ids: [id], bodies: [{ text: 'hello' }] },
    )
  },
  submitted({ refused }) {
    if (refused.length > 0) fail(refused[0].error)
    else console.log(`submitted: ${id}`)
  },
  deliver(message) {
    for (const [index, body] of bodiesOf(message).entries()) {
      console.log(`delivered: ${message.ids[index]}, attempt ${message.attempts?.[index] ?? 1}`)
      unsettled++
      // The work. A longer one sends a heartbeat for its lease every heartbeatMs.
      const result = { shouted: String(body.text).toUpperCase() }
      send({ type: 'complete', ref: ++ref, leases: [message.leases[index]], bodies: [result] })
    }
  },
  settled({ refused }) {
    if (refused.length > 0) console.log(`not settled: ${refused[0].error.message}`)
    else console.log('completed')
    unsettled--
    leaveWhenDone()
  },
  succeeded(message) {
    for (const body of bodiesOf(message)) console.log(`outcome: succeeded ${JSON.stringify(body)}`)
    hasOutcome = true
    leaveWhenDone()
  },
  ended({ tasks }) {
    for (const task of tasks) console.log(`outcome: ${task.status}`)
    hasOutcome = true
    leaveWhenDone()
  },
  ping: (message) => send({ type: 'pong', ref: message.ref }),
  error: (message) => fail(message),
}

// Outcome and last answer come in either order; and the queue may have held other tasks, or have other workers.
function leaveWhenDone() {
  if (!hasOutcome || unsettled > 0) return
  clearInterval(heartbeat)
  send({ type: 'bye' })
}

function fail(error) {
  console.error(`refused: ${error.code}: ${error.message}`)
  process.exit(1)
}

socket.onopen = () => send({ type: 'hello', versions: [1], roles: ['producer', 'worker'], name: 'raw-client.js' })
socket.onmessage = ({ data }) => {
  for (const message of JSON.parse(data)) on[message.type]?.(message)
}
socket.onclose = ({ code }) => {
  console.log(`closed: ${code}`)
  process.exit(code === 1000 ? 0 : 1)
}
