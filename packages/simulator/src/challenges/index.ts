import { calmTheStorm } from './calm-the-storm.ts'
import type { Challenge } from './challenge.ts'
import { noDoubleWork } from './no-double-work.ts'
import { rightCredit } from './right-credit.ts'
import { shortAndLong } from './short-and-long.ts'
import { smallQueue } from './small-queue.ts'
import { surviveMonday } from './survive-monday.ts'

/** All challenges, the easier ones first. */
export const challenges: readonly Challenge[] = [
  surviveMonday,
  smallQueue,
  noDoubleWork,
  rightCredit,
  shortAndLong,
  calmTheStorm,
]
