import { pino } from 'pino'
import { createBroker } from '../../src/index.ts'

/**
 * A broker of its own in a process: `serve PATH` says its URL and runs until it is killed; `once PATH` says it, closes, and has
 * to end by itself. `log` keeps nothing, says its URL as JSON, and then each warning.
 */
const [mode, path = ''] = process.argv.slice(2)
const logger = pino({ level: 'warn', base: null }, { write: (line) => void process.stdout.write(line) })
const broker = await createBroker(
  mode === 'log' ? { journal: { kind: 'memory' }, port: 0, logger } : { journal: { kind: 'sqlite', path }, port: 0 },
)
process.stdout.write(mode === 'log' ? `${JSON.stringify({ url: broker.url })}\n` : `${broker.url}\n`)
if (mode === 'once') {
  const answer = await fetch(`${broker.httpUrl}/readyz`)
  await answer.text()
  const socket = new WebSocket(broker.url, 'sluice.v1')
  await new Promise((resolve) => {
    socket.onopen = resolve
  })
  await broker.close()
  process.stdout.write('closed\n')
}
