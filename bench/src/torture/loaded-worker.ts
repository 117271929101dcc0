import type { Child } from '../child.ts'
import type { StartLog } from './start-log.ts'

/** A worker process under load, and what it writes down. */
export interface LoadedWorker {
  child: Child
  log: StartLog
}
