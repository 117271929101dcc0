import { defaultScenario } from '@sluice/world'
import type { Presets } from '../share/shared-run.ts'
import { phones } from './phones.ts'
import { rush } from './rush.ts'
import { welcome } from './welcome.ts'

/** Scenes by the name that links have for them. A scene that links name is not changed: another one gets another name. */
export const PRESETS: Presets = { welcome, rush, phones, default: defaultScenario }

/** The scenes that a person can choose, in the order in which they are offered. */
export const SCENES: readonly { name: keyof typeof PRESETS; words: string }[] = [
  { name: 'welcome', words: 'A small shop' },
  { name: 'rush', words: 'A rush, and a queue that says “busy”' },
  { name: 'phones', words: 'Pages on two phones, with an outbox' },
  { name: 'default', words: 'An ordinary day, at full speed' },
]
