import type { CommandOf, TaskOptions } from '@sluice/engine'
import type { Submit, SubmitOptions } from '@sluice/protocol'
import { digestOf, digestOfText } from './digest.ts'

/**
 * The engine's command for a submission. `index` is the place of its first task among those submitted together. The
 * digest includes the owner, so the same id from another principal is a conflict.
 */
export function submitCommand(
  submit: Submit,
  session: string | undefined,
  index: number,
  defaults: TaskOptions,
  owner: string | undefined,
): CommandOf<'submit'> {
  const { ref, queue, options, watch, contentType, ids, bodies } = submit
  const { bytes: all, lengths } = bodies
  const meant = options === undefined ? null : differenceFrom(defaults, options)
  const seed = digestOfText(
    JSON.stringify([queue, meant, contentType ?? null, ...(owner === undefined ? [] : [owner])]),
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

/**
 * The options that differ from the defaults, or null if none does. An option at its default means the same as an absent
 * one.
 */
function differenceFrom(defaults: TaskOptions, { retry, ...options }: SubmitOptions): SubmitOptions | null {
  const meant = withoutEqual(options, defaults)
  const retrying = retry === undefined ? {} : withoutEqual(retry, defaults.retry)
  if (Object.keys(retrying).length > 0) Object.assign(meant, { retry: retrying })
  return Object.keys(meant).length === 0 ? null : meant
}

function withoutEqual<T extends object>(stated: T, defaults: T): Partial<T> {
  const differs = ([name, value]: [string, unknown]) => value !== (defaults as Record<string, unknown>)[name]
  return Object.fromEntries(Object.entries(stated).filter(differs)) as Partial<T>
}
