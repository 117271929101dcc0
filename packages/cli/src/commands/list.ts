import { type Command, Option } from 'commander'
import type { BrokerHttp } from '../broker-http.ts'
import { type ClientFlags, clientCommand, httpOf, queueName, taskId, wholeNumber } from '../client-command.ts'
import { tableLines } from '../table.ts'
import { TASK_COLUMNS, TASK_STATES, type TaskView } from '../task-view.ts'
import { note, print, printJson, terminalWidth } from '../terminal.ts'

interface ListFlags extends ClientFlags {
  state?: string
  limit: number
  after?: string
}

interface Page {
  tasks: TaskView[]
  next?: string
}

const LIMIT_MAX = 10_000
/** The maximum number of tasks in one answer of the broker. */
const PAGE_MAX = 1000

/**
 * Asks for pages until `limit` tasks are found or there are no more. The broker examines a bounded number of tasks for
 * each page.
 */
async function tasksOf(http: BrokerHttp, queue: string | undefined, flags: ListFlags): Promise<Page> {
  const tasks: TaskView[] = []
  let next = flags.after
  do {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE_MAX, flags.limit - tasks.length)) })
    if (queue !== undefined) query.set('queue', queue)
    if (flags.state !== undefined) query.set('state', flags.state)
    if (next !== undefined) query.set('after', next)
    const page = await http.get<Page>(`/v1/tasks?${query}`, 'tasks')
    tasks.push(...page.tasks)
    next = page.next
  } while (next !== undefined && tasks.length < flags.limit)
  return next === undefined ? { tasks } : { tasks, next }
}

export function listCommand(): Command {
  return clientCommand('list', 'list tasks, oldest first', [
    'sluice list photos.resize --state leased',
    'sluice list --state dead --json | jq -r .tasks[].id',
  ])
    .argument('[queue]', 'tasks of this queue only', queueName)
    .addOption(new Option('--state <state>', 'tasks in this state only').choices(TASK_STATES))
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1, LIMIT_MAX), 100)
    .option('--after <id>', 'those behind this one: the next page', taskId)
    .action(async (queue: string | undefined, flags: ListFlags) => {
      const page = await tasksOf(httpOf(flags), queue, flags)
      if (flags.json) {
        printJson(page)
        return
      }
      if (page.tasks.length === 0) note('No such tasks.')
      else for (const line of tableLines(TASK_COLUMNS, page.tasks, terminalWidth())) print(line)
      if (page.next === undefined) return
      const more = [...(queue === undefined ? [] : [queue]), ...(flags.state ? ['--state', flags.state] : [])]
      note(`More: ${['sluice list', ...more, '--after', page.next].join(' ')}`)
    })
}
