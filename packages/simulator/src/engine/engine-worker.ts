/// <reference lib="webworker" />

import type { Playable } from './playable.ts'
import type { Answer, Call, CallName, EngineCalls } from './protocol.ts'
import { type Plan, Run } from './run.ts'
import { TracedRun } from './traced-run.ts'

let run: Playable | undefined

function opened(): Playable {
  if (run === undefined) throw new Error('no run is open')
  return run
}

type Handlers = { [Name in CallName]: (...args: Parameters<EngineCalls[Name]>) => unknown }

const handlers: Handlers = {
  open: (plan: Plan) => {
    run = new Run(plan)
  },
  show: (atMs, pause) => {
    const own = opened()
    const shown = own.show(atMs)
    const met = pause && own.firstOf(pause.fromMs, shown.atMs, pause.conditions)
    return met === undefined ? { ...shown, met: undefined } : { ...own.show(met.atMs), met: met.type }
  },
  next: (afterMs, condition) => opened().next(afterMs, condition),
  change: (atMs, change) => {
    const own = opened()
    own.change(atMs, change)
    return own.plan
  },
  charts: (atMs) => opened().charts(atMs),
  measures: (atMs) => opened().measures(atMs),
  gantt: (fromMs, untilMs) => opened().gantt(fromMs, untilMs),
  story: (id, untilMs) => opened().story(id, untilMs),
  narration: (untilMs, count) => opened().narration(untilMs, count),
  trace: (untilMs, format) => opened().trace(untilMs, format),
  openTrace: (text) => {
    run = new TracedRun(text)
    return run.plan
  },
}

self.onmessage = async ({ data }: MessageEvent<Call>) => {
  const { number, name, args } = data
  let answer: Answer
  try {
    answer = { number, result: await (handlers[name] as (...args: unknown[]) => unknown)(...args) }
  } catch (error) {
    answer = { number, error: error instanceof Error ? error.message : String(error) }
  }
  self.postMessage(answer)
}
