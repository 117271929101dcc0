import type { Attack } from '../attack.ts'
import { frames } from './frames.ts'
import { others } from './others.ts'
import { requests } from './requests.ts'
import { tokens } from './tokens.ts'

export const attacks: readonly Attack[] = [frames, requests, tokens, others]
