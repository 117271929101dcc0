import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import type { BrokerHttp } from '../broker-http.ts'
import { cutTo, printable, widthOf } from '../cells.ts'
import { type ClientFlags, clientCommand, httpOf, wholeNumber } from '../client-command.ts'
import { CommandError } from '../exit-code.ts'
import { stopOnSignals } from '../leave.ts'
import { note, print, printJson, terminalHeight, terminalWidth } from '../terminal.ts'
import { fetchQueues, type QueueRow, queueLines } from './queues.ts'

interface HealthView {
  status: string
  durability: string
  tasks: number
  connections: number
}

interface Snapshot {
  /** When the snapshot was taken, in ISO 8601. */
  time: string
  health: HealthView
  queues: QueueRow[]
}

// The alternate screen without a cursor. A line that is too long is cut there and does not move the other lines.
const SCREEN_OPEN = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const SCREEN_CLOSE = '\x1b[?7h\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[2K'
const CLEAR_BELOW = '\x1b[0J'

type HeadPart = [text: string, paint?: Parameters<typeof styleText>[0]]

const GAP = '  '

async function snapshotOf(http: BrokerHttp): Promise<Snapshot> {
  const [health, queues] = await Promise.all([http.get<HealthView>('/healthz', 'status'), fetchQueues(http)])
  return { time: new Date().toISOString(), health, queues }
}

/** Lines of at most `width` cells. */
export function pictureOf(address: string, { health, queues }: Omit<Snapshot, 'time'>, width: number): string[] {
  const head: HeadPart[] = [
    [address, 'bold'],
    [health.status, health.status === 'ready' ? 'green' : 'yellow'],
    health.durability === 'strict' ? ['strict'] : [health.durability, 'yellow'],
    [counted(health.tasks, 'task')],
    [counted(health.connections, 'connection')],
  ]
  return [headLine(head, width), '', ...queueLines(queues, width)]
}

/** As many parts as fit into the line, from the left. */
function headLine(parts: readonly HeadPart[], width: number): string {
  let line = ''
  for (const [text, paint] of parts) {
    const gap = line === '' ? '' : GAP
    const shown = line === '' ? cutTo(printable(text), width) : printable(text)
    if (widthOf(line) + gap.length + widthOf(shown) > width) break
    line += gap + (paint === undefined ? shown : styleText(paint, shown))
  }
  return line
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** One line per queue, for logs and pipes. */
function plainLines({ time, queues }: Snapshot): string[] {
  return queues.map(
    ({ name, ready, delayed, leased, succeeded, dead, workers, drainPerSecond }) =>
      `${time} ${printable(name)} ready=${ready} delayed=${delayed} leased=${leased} done=${succeeded} dead=${dead} workers=${workers} per_second=${drainPerSecond.toFixed(1)}`,
  )
}

/**
 * The text that draws these lines over the previous ones. Each line is cleared before it is written: after a line as
 * wide as the terminal the cursor is on its last character, and clearing would delete it.
 */
export function screenOf(lines: readonly string[]): string {
  return HOME + lines.map((line) => CLEAR_LINE + line).join('\r\n') + CLEAR_BELOW
}

/** Redraws on the alternate screen, and leaves the last picture behind. */
async function watchOnTerminal(http: BrokerHttp, intervalMs: number, stop: AbortSignal): Promise<void> {
  let snapshot = await snapshotOf(http)
  let footer = ''
  const picture = () => pictureOf(http.url.webSocket, snapshot, terminalWidth())
  const draw = () => {
    const height = terminalHeight() - 2
    const lines = picture()
    const more = cutTo(`… ${lines.length - height + 1} more`, terminalWidth())
    const shown = lines.length > height ? [...lines.slice(0, height - 1), more] : lines
    const all = [...shown, '', styleText('dim', cutTo(footer, terminalWidth()))]
    process.stdout.write(screenOf(all))
  }
  process.stdout.write(SCREEN_OPEN)
  process.stdout.on('resize', draw)
  try {
    while (!stop.aborted) {
      footer = `every ${intervalMs / 1000} s, Ctrl-C ends`
      try {
        snapshot = await snapshotOf(http)
      } catch (caught) {
        if (!(caught instanceof CommandError)) throw caught
        footer = `${http.url.webSocket} does not answer: this was its last picture. Trying again.`
      }
      draw()
      await sleep(intervalMs, undefined, { signal: stop }).catch(() => {})
    }
  } finally {
    process.stdout.off('resize', draw)
    process.stdout.write(SCREEN_CLOSE)
    for (const line of picture()) print(line)
  }
}

async function watchInLines(http: BrokerHttp, intervalMs: number, json: boolean, stop: AbortSignal): Promise<void> {
  let answered = false
  let away = false
  while (!stop.aborted) {
    try {
      const snapshot = await snapshotOf(http)
      answered = true
      away = false
      if (json) printJson(snapshot)
      else for (const line of plainLines(snapshot)) print(line)
    } catch (caught) {
      if (!(caught instanceof CommandError) || !answered) throw caught
      if (!away) note(printable(`${caught.message} Trying again.`))
      away = true
    }
    await sleep(intervalMs, undefined, { signal: stop }).catch(() => {})
  }
}

export function watchCommand(): Command {
  return clientCommand('watch', 'show the queues live', [
    'sluice watch',
    'sluice watch --once',
    'sluice watch --interval 5000 >> queues.log',
  ])
    .option('--interval <ms>', 'time between two looks', wholeNumber('--interval', 100, 3_600_000), 1000)
    .option('--once', 'look once and end')
    .action(async (flags: ClientFlags & { interval: number; once?: boolean }) => {
      const http = httpOf(flags)
      if (flags.once) {
        const snapshot = await snapshotOf(http)
        if (flags.json) printJson(snapshot)
        else for (const line of pictureOf(http.url.webSocket, snapshot, terminalWidth())) print(line)
        return
      }
      const stop = stopOnSignals()
      const live = process.stdout.isTTY === true && flags.json !== true
      await (live
        ? watchOnTerminal(http, flags.interval, stop)
        : watchInLines(http, flags.interval, flags.json === true, stop))
    })
}
