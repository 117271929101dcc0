import { WebSocket } from 'ws'
import { serve } from '../child.ts'

// Parses every body and answers with results of the same size, as a worker with a trivial handler does.
serve(async ({ port }: { port: number }) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/worker`, { perMessageDeflate: false, skipUTF8Validation: true })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.on('message', (data: Buffer) => {
    const tasks = JSON.parse(data.toString()) as unknown[]
    socket.send(Buffer.from(JSON.stringify(tasks)))
  })
  return {}
})
