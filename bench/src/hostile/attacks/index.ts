import type { Attack } from '../attack.ts'
import { credit } from './credit.ts'
import { depth } from './depth.ts'
import { fragments } from './fragments.ts'
import { frames } from './frames.ts'
import { halfOpen } from './half-open.ts'
import { handshakes } from './handshakes.ts'
import { others } from './others.ts'
import { oversize } from './oversize.ts'
import { readers } from './readers.ts'
import { requests } from './requests.ts'
import { silent } from './silent.ts'
import { slowBodies } from './slow-bodies.ts'
import { slowHeaders } from './slow-headers.ts'
import { tokens } from './tokens.ts'

export const attacks: readonly Attack[] = [
  frames,
  fragments,
  depth,
  oversize,
  requests,
  slowHeaders,
  slowBodies,
  silent,
  halfOpen,
  handshakes,
  readers,
  credit,
  tokens,
  others,
]
