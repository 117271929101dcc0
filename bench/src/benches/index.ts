import type { Bench } from '../bench.ts'
import { access } from './access.ts'
import { backlog } from './backlog.ts'
import { ceiling } from './ceiling.ts'
import { idle } from './idle.ts'
import { latency } from './latency.ts'
import { recovery } from './recovery.ts'
import { throughput } from './throughput.ts'

export const benches: readonly Bench[] = [ceiling, throughput, latency, backlog, recovery, idle, access]
