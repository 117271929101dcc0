import { type BrokerConfig, createBroker } from '@sluice/broker'
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
}

/** Memory in use after garbage collection, in bytes. */
export interface MemoryUse {
  rss: number
  heapUsed: number
  external: number
}

serve(async ({ durability, path, port = 0, engine, hosting, access }: BrokerSettings) => {
  const broker = await createBroker({
    journal: durability === 'memory' ? { kind: 'memory' } : { kind: 'sqlite', path: path!, durability },
    host: '127.0.0.1',
    port,
    ...(engine && { engine }),
    ...(hosting && { hosting }),
    ...(access && { access }),
    onFailure: (error) => {
      throw error
    },
  })
  return {
    address: () => ({ url: broker.url, httpUrl: broker.httpUrl }),
    /** Needs `--expose-gc`. */
    memory(): MemoryUse {
      // Twice: what the first collection finalises, the second one frees.
      globalThis.gc!()
      globalThis.gc!()
      const { rss, heapUsed, external } = process.memoryUsage()
      return { rss, heapUsed, external }
    },
  }
})
