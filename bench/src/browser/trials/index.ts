import type { Trial } from '../trial.ts'
import { killBrowser } from './kill-browser.ts'
import { replaceLeader } from './replace-leader.ts'
import { speed } from './speed.ts'

export const trials: readonly Trial[] = [killBrowser, replaceLeader, speed]
