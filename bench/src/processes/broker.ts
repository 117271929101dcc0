import { type BrokerConfig, createBroker } from '@sluice/broker'
import { pino } from 'pino'
import { serve } from '../child.ts'

export type Durability = 'strict' | 'relaxed' | 'memory'

export interface BrokerSettings {
  durability: Durability
  /** The journal's file; for `memory` there is none. */
  path?: string
  /** 0, the default, takes any free port. */
  port?: number
  /** Bounds and periods other than the defaults. */
  engine?: BrokerConfig['engine']
  hosting?: BrokerConfig['hosting']
  /** Who may do what; everybody everything where it is left out. */
  access?: BrokerConfig['access']
  /** With `access`, quotas other than the defaults. */
  quotas?: BrokerConfig['quotas']
}

/** Memory in use after garbage collection, in bytes. */
export interface MemoryUse {
  rss: number
  heapUsed: number
  external: number
  /** The most that the process has held so far. */
  rssPeak: number
}

/** Failures that are kept, in lines of the log. */
const FAILURES_MAX = 20

serve(async ({ durability, path, port = 0, engine, hosting, access, quotas }: BrokerSettings) => {
  const failures: string[] = []
  const log = { write: (line: string) => failures.length < FAILURES_MAX && failures.push(line.trim()) }
  const broker = await createBroker({
    logger: pino({ level: 'error' }, log),
    journal: durability === 'memory' ? { kind: 'memory' } : { kind: 'sqlite', path: path!, durability },
    host: '127.0.0.1',
    port,
    ...(engine && { engine }),
    ...(hosting && { hosting }),
    ...(access && { access }),
    ...(quotas && { quotas }),
    onFailure: (error) => {
      throw error
    },
  })
  return {
    address: () => ({ url: broker.url, httpUrl: broker.httpUrl }),
    /** Processor time of the process so far, in µs. */
    processorTime(): number {
      const { user, system } = process.cpuUsage()
      return user + system
    },
    /** Errors that the broker has logged; the first ones. */
    failures: () => failures,
    /** Needs `--expose-gc`. */
    memory(): MemoryUse {
      // Twice: what the first collection finalises, the second one frees.
      globalThis.gc!()
      globalThis.gc!()
      const { rss, heapUsed, external } = process.memoryUsage()
      return { rss, heapUsed, external, rssPeak: process.resourceUsage().maxRSS * 1024 }
    },
  }
})
