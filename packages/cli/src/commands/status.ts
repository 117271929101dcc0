import { styleText } from 'node:util'
import { type DeadReason, isTaskId, type TaskFailure, type TaskStatus } from '@sluice/protocol'
import type { Command } from 'commander'
import type { BrokerHttp } from '../broker-http.ts'
import { type ClientFlags, clientCommand, httpOf } from '../client-command.ts'
import { durationText } from '../duration.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { type Column, printable, tableLines } from '../table.ts'
import { print, printJson, terminalWidth } from '../terminal.ts'

/** One ended attempt, as the HTTP API shows it. */
export interface AttemptView {
  attempt: number
  how: string
  error?: TaskFailure
}

interface TaskView extends TaskStatus {
  history?: AttemptView[]
  result?: unknown
  resultBase64?: string
  contentType?: string
  reason?: DeadReason
}

/** One long-poll; the next follows until the task has its outcome. */
const POLL_MS = 30_000

const GOOD_STATES = new Set(['delayed', 'ready', 'leased', 'succeeded'])
const UNFINISHED_STATES = new Set(['delayed', 'ready', 'leased'])

function paintState(text: string, state: string): string {
  if (state === 'succeeded') return styleText('green', text)
  if (state === 'leased') return styleText('cyan', text)
  return GOOD_STATES.has(state) ? text : styleText('red', text)
}

const COLUMNS: readonly Column<TaskView>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'STATE', of: ({ state }) => state, paint: (text, { state }) => paintState(text, state) },
  { title: 'QUEUE', of: ({ queue }) => queue ?? '–', cut: true },
  { title: 'TRIES', of: ({ attempts }) => attempts },
  { title: 'AGE', of: ({ ageMs }) => (ageMs === undefined ? '–' : durationText(ageMs)) },
  { title: 'NOTE', of: noteOf, cut: true },
]

/** The most telling thing about a task in one cell. */
function noteOf({ progress, reason, error, readyInMs }: TaskView): string {
  if (reason !== undefined) return error === undefined ? reason : `${reason}: ${error.message}`
  if (readyInMs !== undefined) return `ready in ${durationText(readyInMs)}`
  return progress === undefined ? '' : JSON.stringify(progress)
}

/** Everything about one task, a line each. */
function detailLines(task: TaskView): string[] {
  const lines: [string, string | undefined][] = [
    ['task', task.id],
    ['state', paintState(task.state, task.state)],
    ['queue', task.queue],
    ['attempts', task.attempts?.toString()],
    ['age', task.ageMs === undefined ? undefined : durationText(task.ageMs)],
    ['ready in', task.readyInMs === undefined ? undefined : durationText(task.readyInMs)],
    ['progress', task.progress === undefined ? undefined : JSON.stringify(task.progress)],
    ['reason', task.reason],
    ['error', task.error === undefined ? undefined : printable(task.error.message)],
    ...(task.history ?? []).map((entry): [string, string] => [`attempt ${entry.attempt}`, attemptText(entry)]),
    ['result', resultText(task)],
  ]
  return lines
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => `${styleText('dim', name.padEnd(10))} ${text}`)
}

export function attemptText({ how, error }: AttemptView): string {
  return error === undefined ? how.replaceAll('_', ' ') : `${how.replaceAll('_', ' ')}: ${printable(error.message)}`
}

function resultText({ result, resultBase64, contentType }: TaskView): string | undefined {
  if (resultBase64 !== undefined) return `${contentType}, base64: ${resultBase64}`
  return result === undefined ? undefined : JSON.stringify(result)
}

async function taskOf(http: BrokerHttp, id: string, wait: boolean): Promise<TaskView> {
  for (;;) {
    const query = wait ? `?waitMs=${POLL_MS}` : ''
    const task = await http.find<TaskView>(`/v1/tasks/${encodeURIComponent(id)}${query}`, wait ? POLL_MS : 0)
    if (task === undefined) return { id, state: 'unknown' }
    if (!wait || !UNFINISHED_STATES.has(task.state)) return task
  }
}

export function statusCommand(): Command {
  return clientCommand('status', 'show tasks: state, progress, attempts, result', [
    'sluice status 0199a7c2-6f0e-7c3a-9d55-0242ac120002',
    'sluice status --wait --json $(cat ids.txt)',
  ])
    .argument('<id...>', 'ids of tasks, as submit prints them')
    .option('--wait', 'wait until each has its outcome')
    .action(async (ids: string[], flags: ClientFlags & { wait?: boolean }) => {
      const wrong = ids.find((id) => !isTaskId(id))
      if (wrong !== undefined)
        throw new CommandError(
          `${JSON.stringify(wrong)} is no task id: a UUIDv7 in lower case, as submit prints it`,
          EXIT.usage,
        )
      const http = httpOf(flags)
      const tasks: TaskView[] = []
      for (const id of ids) tasks.push(await taskOf(http, id, flags.wait === true))
      if (flags.json) printJson({ tasks })
      else
        for (const line of tasks.length === 1
          ? detailLines(tasks[0] as TaskView)
          : tableLines(COLUMNS, tasks, terminalWidth()))
          print(line)
      const bad = tasks.filter(({ state }) => !GOOD_STATES.has(state))
      if (bad.length === 0) return
      const unknown = bad.filter(({ state }) => state === 'unknown').length
      throw new CommandError(
        unknown > 0
          ? `${unknown} of ${tasks.length} unknown: never submitted here, or the record has expired`
          : `${bad.length} of ${tasks.length} ended without a result. Dead ones can be tried again: sluice dead redrive <id>`,
        EXIT.failed,
      )
    })
}
