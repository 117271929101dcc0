import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import chromium from '@sparticuz/chromium'

/** A page that is driven by the DevTools protocol alone. Playwright keeps its pages focused, so that none can be frozen. */
export interface RawPage {
  send(method: string, parameters?: object): Promise<Record<string, unknown>>
  /** The value of an expression; promises are awaited. */
  evaluate<T>(expression: string): Promise<T>
  /** The next event of this name. */
  next<T>(event: string): Promise<T>
  /** Waits until the expression is true. */
  until(expression: string): Promise<void>
  close(): Promise<void>
}

export interface RawChromium {
  open(url: string): Promise<RawPage>
  close(): Promise<void>
}

interface Answer {
  id?: number
  /** Of an event. */
  method?: string
  params?: object
  sessionId?: string
  result?: Record<string, unknown>
  error?: { message: string }
}

export async function launchRawChromium(flags: readonly string[] = []): Promise<RawChromium> {
  const profile = mkdtempSync(join(tmpdir(), 'sluice-chromium-'))
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    ...flags,
    'about:blank',
  ]
  const child = spawn(await chromium.executablePath(), args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let url = ''
  for await (const line of createInterface(child.stderr)) {
    url = /listening on (ws:\S+)/.exec(line)?.[1] ?? ''
    if (url !== '') break
  }
  child.stderr.resume()
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const waiting = new Map<number, (answer: Answer) => void>()
  const events = new Map<string, ((params: object) => void)[]>()
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(data) as Answer
    waiting.get(answer.id ?? 0)?.(answer)
    waiting.delete(answer.id ?? 0)
    const event = `${answer.sessionId} ${answer.method}`
    for (const hear of events.get(event) ?? []) hear(answer.params ?? {})
    events.delete(event)
  })
  let ids = 0
  const send = (method: string, params: object, sessionId?: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      ids += 1
      waiting.set(ids, ({ result = {}, error }) => {
        if (error === undefined) resolve(result)
        else reject(new Error(`${method}: ${error.message}`))
      })
      socket.send(JSON.stringify({ id: ids, method, params, sessionId }))
    })
  return {
    open: async (address) => {
      const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
      const page: RawPage = {
        send: (method, parameters = {}) => send(method, parameters, sessionId as string),
        evaluate: async <T>(expression: string) => {
          const options = { expression, awaitPromise: true, returnByValue: true }
          const { result, exceptionDetails } = await page.send('Runtime.evaluate', options)
          if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
          return (result as { value: T }).value
        },
        next: <T>(event: string) =>
          new Promise<T>((resolve) => {
            const name = `${sessionId} ${event}`
            events.set(name, [...(events.get(name) ?? []), (params) => resolve(params as T)])
          }),
        until: async (expression) => {
          while (!(await page.evaluate<boolean>(`Boolean(${expression})`).catch(() => false)))
            await new Promise((resolve) => setTimeout(resolve, 50))
        },
        close: async () => void (await send('Target.closeTarget', { targetId })),
      }
      await page.send('Page.enable')
      await page.send('Page.navigate', { url: address })
      await page.until(`document.readyState === 'complete' && location.href !== 'about:blank'`)
      return page
    },
    close: async () => {
      const ended = once(child, 'exit')
      socket.close()
      // It waits for pages whose Workers do not end.
      child.kill('SIGKILL')
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
