import type { CommandOf } from '@sluice/engine'
import type { Submit } from '@sluice/protocol'
import { digestOf, digestOfText } from './digest.ts'

/**
 * What the engine decides a submission on. The owner is part of the digest: the same id from another principal is a conflict.
 *  `index` is the place of its first task in what was submitted together.
 */
export function submitCommand(
  submit: Submit,
  session: string | undefined,
  index: number,
  owner: string | undefined,
): CommandOf<'submit'> {
  const { ref, queue, options, watch, contentType, ids, bodies } = submit
  const { bytes: all, lengths } = bodies
  const seed = digestOfText(
    JSON.stringify([queue, options ?? null, contentType ?? null, ...(owner === undefined ? [] : [owner])]),
  )
  let end = 0
  const digests = lengths.map((length) => {
    end += length
    return digestOf(all, end - length, end, seed)
  })
  return {
    type: 'submit',
    session,
    owner,
    ref,
    queue,
    options,
    watch: watch ?? true,
    contentType,
    index,
    ids,
    bytes: lengths,
    digests,
  }
}
