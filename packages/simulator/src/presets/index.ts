import { defaultScenario } from '@sluice/world'
import type { Presets } from '../share/shared-run.ts'
import { welcome } from './welcome.ts'

/** Scenes by the name that links have for them. */
export const PRESETS: Presets = { welcome, default: defaultScenario }
