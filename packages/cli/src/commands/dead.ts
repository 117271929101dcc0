import type { TaskFailure } from '@sluice/protocol'
import { Command } from 'commander'
import type { BrokerHttp } from '../broker-http.ts'
import { cutTo, printable, widthOf } from '../cells.ts'
import {
  type ClientFlags,
  clientCommand,
  exampleHelp,
  httpOf,
  queueName,
  taskId,
  wholeNumber,
} from '../client-command.ts'
import { confirm } from '../confirm.ts'
import { durationText } from '../duration.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { type Column, tableLines } from '../table.ts'
import type { AttemptView, TaskView } from '../task-view.ts'
import { note, print, printJson, terminalWidth } from '../terminal.ts'
import { knownQueue, purgeAll } from './purge.ts'

interface DeadView {
  id: string
  queue: string
  reason: string
  error?: TaskFailure
  attempts: number
  history: AttemptView[]
  ageMs: number
}

const COLUMNS: readonly Column<DeadView>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'QUEUE', of: ({ queue }) => queue, cut: 'middle', drop: 1 },
  { title: 'TRIES', of: ({ attempts }) => attempts, drop: 2 },
  { title: 'AGE', of: ({ ageMs }) => durationText(ageMs), drop: 3 },
]
const WHY: Column<DeadView> = { title: 'WHY', of: whyOf }

const PAGE_MAX = 1000

function whyOf({ reason, error }: DeadView): string {
  return error?.message ?? reason
}

/** A table. Reasons that do not fit beside their rows are below them. */
export function deadLines(letters: readonly DeadView[], width: number): string[] {
  const table = tableLines([...COLUMNS, WHY], letters, Number.POSITIVE_INFINITY)
  if (table.every((line) => widthOf(line) <= width)) return table
  const [titles = '', ...rows] = tableLines(COLUMNS, letters, width)
  const reasons = letters.map((letter) => cutTo(`  ${printable(whyOf(letter))}`, width))
  return [titles, ...rows.flatMap((row, index) => [row, reasons[index] as string])]
}

function listCommand(): Command {
  return clientCommand('list', 'list dead letters with the reason of each', [
    'sluice dead list --queue photos.resize',
    'sluice dead list --json | jq -r .tasks[].id',
  ])
    .option('--queue <name>', 'of this queue only', queueName)
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1, PAGE_MAX), 100)
    .option('--after <id>', 'those behind this one: the next page', taskId)
    .action(async (flags: ClientFlags & { queue?: string; limit: number; after?: string }) => {
      const query = new URLSearchParams({ limit: String(flags.limit) })
      if (flags.queue !== undefined) query.set('queue', flags.queue)
      if (flags.after !== undefined) query.set('after', flags.after)
      const page = await httpOf(flags).get<{ tasks: DeadView[]; next?: string }>(`/v1/dead?${query}`, 'tasks')
      if (flags.json) {
        printJson(page)
        return
      }
      if (page.tasks.length === 0) {
        note('No dead letters.')
        return
      }
      for (const line of deadLines(page.tasks, terminalWidth())) print(line)
      if (page.next === undefined) return
      const ofQueue = flags.queue === undefined ? '' : ` --queue ${flags.queue}`
      note(`More: sluice dead list${ofQueue} --after ${page.next}`)
    })
}

type DeadTarget = { ids: string[] } | { queue: string }

/** Dead letters named by id, or all of a queue. */
function targetOf(ids: readonly string[], queue: string | undefined): DeadTarget {
  ids.forEach(taskId)
  if (ids.length > 0 === (queue !== undefined)) {
    throw new CommandError('Name dead letters by id, or all of a queue with --queue; not both.', EXIT.usage)
  }
  return queue === undefined ? { ids: [...new Set(ids)] } : { queue }
}

/** Reports the ids that name no dead letter, with the reason, and returns the others. */
async function deadOnly(http: BrokerHttp, ids: readonly string[]): Promise<string[]> {
  const dead: string[] = []
  for (const id of ids) {
    const task = await http.find<TaskView>(`/v1/tasks/${id}`, 'state', 0)
    if (task?.state === 'dead') dead.push(id)
    else if (task === undefined) note(`${id} is not held: never submitted here, or its record has expired.`)
    else note(printable(`${id} is ${task.state}, not dead.`))
  }
  return dead
}

function redriveCommand(): Command {
  return clientCommand('redrive', 'make dead letters ready again, with all their attempts', [
    'sluice dead redrive --queue photos.resize',
    'sluice dead redrive 0199a7c2-6f0e-7c3a-9d55-0242ac120002',
  ])
    .argument('[id...]', 'ids of dead letters')
    .option('--queue <name>', 'all of this queue', queueName)
    .action(async (ids: string[], flags: ClientFlags & { queue?: string }) => {
      const target = targetOf(ids, flags.queue)
      const http = httpOf(flags)
      const wanted = 'ids' in target ? target.ids.length : (await knownQueue(http, target.queue)).dead
      const dead = 'ids' in target ? { ids: await deadOnly(http, target.ids) } : target
      const { redriven } = await http.post<{ redriven: number }>('/v1/dead/redrive', dead, 'redriven')
      if (flags.json) printJson({ redriven })
      else print(`${redriven} ready again.`)
      const named = 'ids' in dead ? dead.ids.length : wanted
      if (redriven < named)
        throw new CommandError(
          `${named - redriven} of ${named} have a full queue, or are dead no more. See: sluice queues`,
          EXIT.failed,
        )
      if (redriven < wanted)
        throw new CommandError(
          `${wanted - redriven} of ${wanted} are no dead letters. See: sluice dead list`,
          EXIT.failed,
        )
    })
}

function purgeCommand(): Command {
  return clientCommand('purge', 'forget dead letters for good', [
    'sluice dead purge --queue photos.resize',
    'sluice dead purge 0199a7c2-6f0e-7c3a-9d55-0242ac120002 --yes',
  ])
    .argument('[id...]', 'ids of dead letters')
    .option('--queue <name>', 'all of this queue', queueName)
    .option('--yes', 'do not ask')
    .action(async (ids: string[], flags: ClientFlags & { queue?: string; yes?: boolean }) => {
      const target = targetOf(ids, flags.queue)
      const http = httpOf(flags)
      const count = 'ids' in target ? target.ids.length : (await knownQueue(http, target.queue)).dead
      const dead = 'ids' in target ? { ids: await deadOnly(http, target.ids) } : target
      const left = 'ids' in dead ? dead.ids.length : count
      const what = `${left} dead letter${left === 1 ? '' : 's'}`
      if (left > 0) await confirm(`Forget ${what}${flags.queue === undefined ? '' : ` of ${flags.queue}`}?`, flags.yes)
      const purged = left > 0 ? await purgeAll(http, '/v1/dead/purge', dead) : 0
      if (flags.json) printJson({ purged })
      else print(`${purged} forgotten.`)
      if ('ids' in target && purged < count)
        throw new CommandError(`${count - purged} of ${count} are no dead letters. See: sluice dead list`, EXIT.failed)
    })
}

export function deadCommand(): Command {
  return new Command('dead')
    .description('list dead letters, make them ready again, or forget them')
    .addCommand(listCommand())
    .addCommand(redriveCommand())
    .addCommand(purgeCommand())
    .addHelpText('after', exampleHelp(['sluice dead list', 'sluice dead redrive --queue photos.resize']))
}
