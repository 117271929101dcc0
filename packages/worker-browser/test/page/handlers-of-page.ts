import { serveHandlers } from '../../src/handlers.ts'

serveHandlers({
  'page.double': (input) => 2 * (input as number),
  'page.wait': async (input, { progress, signal }) => {
    progress('begun')
    await new Promise((resolve, reject) => {
      setTimeout(resolve, input as number)
      signal.addEventListener('abort', () => reject(signal.reason))
    })
    return 'the tab'
  },
  'page.bloats': (_, { attempt }) => {
    if (attempt === 1) return new Uint8Array(Number.MAX_SAFE_INTEGER)
    const all: unknown[] = []
    for (;;) all.push(Array.from({ length: 10_000 }, (_, n) => ({ n })))
  },
  'page.dies': (_, { attempt }) => {
    if (attempt > 1) return 'healed'
    self.close()
    return new Promise(() => {})
  },
})
