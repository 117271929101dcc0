import { Bodies } from '@sluice/protocol'
import type { Observation } from './observation.ts'
import type { Scenario } from './scenario.ts'

/** The header of a trace: enough to run it again. */
export interface TraceHeader {
  /** The version of the format. It is raised when an older reader would misread. */
  version: 1
  seed: number
  scenario: Scenario
}

export interface Trace extends TraceHeader {
  observations: Observation[]
}

const FORMAT = 'sluice-trace'
const VERSION = 1
/** The keys of an object that represents bytes, and the bodies of a message. */
const BYTES = 'base64'
const LENGTHS = 'lengths'

/** The first line of a trace, without its line break. */
export function traceHeader({ seed, scenario }: Omit<TraceHeader, 'version'>): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, seed, scenario })
}

/** One observation as a line, without its line break. Bytes are written in base64. */
export function traceLine(observation: Observation): string {
  return JSON.stringify(observation, (_, value: unknown) => {
    if (value instanceof Bodies) return { [BYTES]: toBase64(value.bytes), [LENGTHS]: value.lengths }
    return value instanceof Uint8Array ? { [BYTES]: toBase64(value) } : value
  })
}

/**
 * Reads a trace as `pnpm fuzz --trace` writes it: JSON lines, the header first.
 * @throws SyntaxError naming the line that cannot be read
 */
export function parseTrace(text: string): Trace {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const [first, ...rest] = lines.map((line, at): unknown => {
    try {
      return JSON.parse(line, revived)
    } catch (error) {
      throw new SyntaxError(`line ${at + 1} of the trace: ${(error as Error).message}`)
    }
  })
  const header = first as (TraceHeader & { format: string }) | undefined
  if (header?.format !== FORMAT) throw new SyntaxError('line 1 of the trace: not the header of a trace')
  if (header.version !== VERSION)
    throw new SyntaxError(`line 1 of the trace: version ${header.version}, where ${VERSION} is understood`)
  return {
    version: VERSION,
    seed: header.seed,
    scenario: header.scenario,
    observations: rest as Observation[],
  }
}

function revived(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const keys = Object.keys(value).join()
  if (keys === BYTES) return fromBase64((value as { base64: string }).base64)
  if (keys !== `${BYTES},${LENGTHS}`) return value
  const { base64, lengths } = value as { base64: string; lengths: number[] }
  return Bodies.ofPieces([fromBase64(base64)], lengths)
}

function toBase64(bytes: Uint8Array): string {
  let units = ''
  for (const byte of bytes) units += String.fromCharCode(byte)
  return btoa(units)
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0))
}
