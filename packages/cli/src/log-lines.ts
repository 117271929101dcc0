import { styleText } from 'node:util'
import { type DestinationStream, type Logger, pino } from 'pino'
import { printable } from './cells.ts'
import { LogOutput } from './log-output.ts'

const LEVELS: Record<number, { label: string; style: 'dim' | 'green' | 'yellow' | 'red' }> = {
  10: { label: 'trace', style: 'dim' },
  20: { label: 'debug', style: 'dim' },
  30: { label: 'info ', style: 'green' },
  40: { label: 'warn ', style: 'yellow' },
  50: { label: 'error', style: 'red' },
  60: { label: 'fatal', style: 'red' },
}

/** Fields that are of no use to a person at a terminal. */
const QUIET_FIELDS = new Set(['pid', 'hostname'])

/**
 * Formats one line of pino's JSON for people: time, level, message, the other fields. Any other text stays as it is.
 */
export function logLine(text: string): string {
  const { level, time, msg, err, ...rest } = fieldsOf(text)
  if (typeof level !== 'number' || typeof time !== 'number') return text
  const { label, style } = LEVELS[level] ?? { label: String(level), style: 'dim' as const }
  const at = new Date(time).toTimeString().slice(0, 8)
  const fields = Object.entries(rest)
    .filter(([name]) => !QUIET_FIELDS.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  const failure = (err as { stack?: string; message?: string } | undefined)?.stack
  return [
    `${styleText('dim', at)} ${styleText(style, label)} ${printable(String(msg ?? ''))}`,
    fields === '' ? '' : ` ${styleText('dim', printable(fields))}`,
    ...(failure ?? '').split('\n').map((line) => (line === '' ? '' : `\n${printable(line)}`)),
  ].join('')
}

function fieldsOf(text: string): Record<string, unknown> {
  if (!text.startsWith('{')) return {}
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** JSON lines for programs, readable ones if standard output is a terminal. */
export function createLogger(level: string, json: boolean): Logger {
  const options = { level }
  if (json || !process.stdout.isTTY) return pino(options, new LogOutput())
  const readable: DestinationStream = { write: (line) => void process.stdout.write(`${logLine(line.trimEnd())}\n`) }
  return pino(options, readable)
}
