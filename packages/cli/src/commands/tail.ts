import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { BrokerHttp } from '../broker-http.ts'
import { printable } from '../cells.ts'
import { type ClientFlags, clientCommand, httpOf, queueName, wholeNumber } from '../client-command.ts'
import { durationText } from '../duration.ts'
import { CommandError } from '../exit-code.ts'
import { stopOnSignals } from '../leave.ts'
import { noteOf, paintState, type TaskView } from '../task-view.ts'
import { note, print, printJson } from '../terminal.ts'

interface TailFlags extends ClientFlags {
  state?: string
  limit?: number
}

/** The time between two attempts to reach a broker that went away. */
const AGAIN_MS = 1000

/** One outcome as a line: with the time of day at a terminal, otherwise in ISO 8601. */
export function outcomeLine(task: TaskView, time: Date, isTerminal: boolean): string {
  const at = isTerminal ? time.toTimeString().slice(0, 8) : time.toISOString()
  const state = paintState(printable(task.state).padEnd(9), task.state)
  const age = task.ageMs === undefined ? '' : durationText(task.ageMs)
  const tries = `${task.attempts ?? 0} ${task.attempts === 1 ? 'try' : 'tries'}`
  const rest = [task.id, task.queue ?? '', tries, age, noteOf(task)].filter((part) => part !== '')
  return `${at}  ${state}  ${printable(rest.join('  '))}`
}

async function follow(http: BrokerHttp, path: string, told: (task: TaskView) => boolean, stop: AbortSignal) {
  let answered = false
  let away = false
  while (!stop.aborted) {
    try {
      for await (const line of http.lines(path, stop)) {
        if (!answered || away) note(answered ? 'The broker is back.' : 'Waiting for outcomes; Ctrl-C ends.')
        answered = true
        away = false
        if (line === '') continue
        const said = JSON.parse(line) as TaskView & { skipped?: number }
        if (said.skipped !== undefined)
          note(`${said.skipped} outcomes left out: they came faster than this could read.`)
        else if (!told(said)) return
      }
    } catch (caught) {
      if (!(caught instanceof CommandError) || !answered) throw caught
    }
    if (stop.aborted) return
    if (!away) note('The broker is away. Trying again; outcomes meanwhile are not shown.')
    away = true
    await sleep(AGAIN_MS, undefined, { signal: stop }).catch(() => {})
  }
}

export function tailCommand(): Command {
  return clientCommand('tail', 'show outcomes as they come', [
    'sluice tail',
    'sluice tail photos.resize --state dead',
    'sluice tail --json --limit 100 > outcomes.jsonl',
  ])
    .argument('[queue]', 'of this queue only', queueName)
    .addOption(
      new Option('--state <state>', 'only tasks that ended so').choices(['succeeded', 'dead', 'cancelled'] as const),
    )
    .option('--limit <n>', 'end after so many', wholeNumber('--limit', 1, Number.MAX_SAFE_INTEGER))
    .action(async (queue: string | undefined, flags: TailFlags) => {
      let left = flags.limit ?? Number.POSITIVE_INFINITY
      const told = (task: TaskView): boolean => {
        if (flags.state !== undefined && task.state !== flags.state) return true
        const time = new Date()
        if (flags.json) printJson({ time: time.toISOString(), ...task })
        else print(outcomeLine(task, time, process.stdout.isTTY))
        left -= 1
        return left > 0
      }
      const query = queue === undefined ? '' : `?${new URLSearchParams({ queue })}`
      await follow(httpOf(flags), `/v1/outcomes${query}`, told, stopOnSignals())
    })
}
