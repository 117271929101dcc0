import type { Answer, Call, CallName, EngineCalls } from './protocol.ts'

type Caller = {
  [Name in CallName]: (...args: Parameters<EngineCalls[Name]>) => Promise<ReturnType<EngineCalls[Name]>>
}

/** The Worker that holds a run, as the page sees it. */
export interface Engine extends Caller {
  end(): void
}

/** A record, so that none is missing. */
const EVERY_NAME: Record<CallName, true> = {
  open: true,
  show: true,
  next: true,
  change: true,
  charts: true,
  measures: true,
  gantt: true,
  story: true,
  narration: true,
  trace: true,
  openTrace: true,
}
const NAMES = Object.keys(EVERY_NAME) as CallName[]

export function startEngine(): Engine {
  const worker = new Worker(new URL('./engine-worker.ts', import.meta.url), { type: 'module' })
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  let number = 0
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const call = waiting.get(data.number)
    waiting.delete(data.number)
    if ('error' in data) call?.reject(new Error(data.error))
    else call?.resolve(data.result)
  }
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(`the world has stopped: ${message}`))
    waiting.clear()
  }
  const call = (name: CallName, args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      number += 1
      waiting.set(number, { resolve, reject })
      worker.postMessage({ number, name, args } as Call)
    })
  const calls = Object.fromEntries(NAMES.map((name) => [name, (...args: unknown[]) => call(name, args)]))
  return { ...(calls as unknown as Caller), end: () => worker.terminate() }
}
