import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import type { BrokerHttp } from '../broker-http.ts'
import { printable } from '../cells.ts'
import { type ClientFlags, clientCommand, httpOf, taskId } from '../client-command.ts'
import { durationText } from '../duration.ts'
import { CommandError, EXIT, type ExitCode } from '../exit-code.ts'
import { tableLines } from '../table.ts'
import { type AttemptView, GOOD_STATES, paintState, TASK_COLUMNS, type TaskView } from '../task-view.ts'
import { jsonLine, note, print, printJson, terminalWidth } from '../terminal.ts'
import { sayWhatIsMissing } from '../wait-notes.ts'

/** The wait of one long poll. They repeat until the task has its outcome. */
const POLL_MS = 30_000
/** A leaving broker answers long polls at once, so this is the wait before the next one. */
const POLL_AGAIN_MS = 500

const COMES_BACK: ReadonlySet<ExitCode> = new Set([EXIT.unreachable, EXIT.busy])

const UNFINISHED_STATES = new Set(['delayed', 'ready', 'leased'])

/** Everything about one task, one line per fact. */
function detailLines(task: TaskView): string[] {
  const lines: [string, string | undefined][] = [
    ['task', printable(task.id)],
    ['state', paintState(printable(task.state), task.state)],
    ['queue', task.queue === undefined ? undefined : printable(task.queue)],
    ['attempts', task.attempts?.toString()],
    ['age', task.ageMs === undefined ? undefined : durationText(task.ageMs)],
    ['ready in', task.readyInMs === undefined ? undefined : durationText(task.readyInMs)],
    ['progress', task.progress === undefined ? undefined : jsonLine(task.progress)],
    ['reason', task.reason === undefined ? undefined : printable(task.reason)],
    ['error', task.error === undefined ? undefined : printable(task.error.message)],
    ...(task.history ?? []).map((entry): [string, string] => [`attempt ${entry.attempt}`, attemptText(entry)]),
    ['result', resultText(task)],
  ]
  return lines
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => `${styleText('dim', name.padEnd(10))} ${text}`)
}

function attemptText({ how, error }: AttemptView): string {
  return printable(`${how.replaceAll('_', ' ')}${error === undefined ? '' : `: ${error.message}`}`)
}

function resultText({ result, resultBase64, contentType }: TaskView): string | undefined {
  if (resultBase64 !== undefined) return printable(`${contentType}, base64: ${resultBase64}`)
  return result === undefined ? undefined : jsonLine(result)
}

async function taskOf(http: BrokerHttp, id: string, waitMs = 0): Promise<TaskView> {
  const task = await http.find<TaskView>(`/v1/tasks/${id}?waitMs=${waitMs}`, 'state', waitMs)
  return task ?? { id, state: 'unknown' }
}

/** The task once it has its outcome. If the broker has answered before and then goes away, the command waits for it. */
async function endedTaskOf(http: BrokerHttp, seen: TaskView): Promise<TaskView> {
  let task = seen
  let away = false
  const endNotes = sayWhatIsMissing(http, () => ({ queue: task.queue, unaccepted: 0, unfinished: 1 }), note)
  while (UNFINISHED_STATES.has(task.state)) {
    try {
      task = await taskOf(http, task.id, POLL_MS)
      away = false
    } catch (caught) {
      if (!(caught instanceof CommandError) || !COMES_BACK.has(caught.exitCode)) throw caught
      if (!away) note(printable(`${caught.message} Trying again.`))
      away = true
    }
    if (UNFINISHED_STATES.has(task.state)) await sleep(POLL_AGAIN_MS)
  }
  endNotes()
  return task
}

export function statusCommand(): Command {
  return clientCommand('status', 'show tasks: state, progress, attempts, result', [
    'sluice status 0199a7c2-6f0e-7c3a-9d55-0242ac120002',
    'sluice status --wait --json $(cat ids.txt)',
  ])
    .argument('<id...>', 'ids of tasks, as submit prints them')
    .option('--wait', 'wait until each has its outcome')
    .action(async (ids: string[], flags: ClientFlags & { wait?: boolean }) => {
      ids.forEach(taskId)
      const http = httpOf(flags)
      const tasks: TaskView[] = []
      for (const id of ids) tasks.push(await taskOf(http, id))
      if (flags.wait) for (const [index, task] of tasks.entries()) tasks[index] = await endedTaskOf(http, task)
      if (flags.json) printJson({ tasks })
      else
        for (const line of tasks.length === 1
          ? detailLines(tasks[0] as TaskView)
          : tableLines(TASK_COLUMNS, tasks, terminalWidth()))
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
