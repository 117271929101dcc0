import type { Trial } from '../trial.ts'
import { durability } from './durability.ts'
import { frozenTab } from './frozen-tab.ts'
import { hiddenTab } from './hidden-tab.ts'
import { killBrowser } from './kill-browser.ts'
import { replaceLeader } from './replace-leader.ts'
import { speed } from './speed.ts'

export const trials: readonly Trial[] = [killBrowser, replaceLeader, hiddenTab, frozenTab, speed, durability]
