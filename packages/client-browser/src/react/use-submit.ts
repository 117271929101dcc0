import type { TaskContract } from '@sluice/client'
import type { OutboxHandle, OutboxSubmitOptions } from '@sluice/client/outbox'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useOutboxClient } from './outbox-provider.ts'

/**
 * What became of the newest submission of a component.
 * - `idle`: there was none.
 * - `saving`: it is not saved yet.
 * - `submitted`: it is saved, or in memory only; see `useTask(id)` for what happens to it.
 * - `failed`: it was not saved, and will not be sent.
 */
export type Submission =
  | { readonly state: 'idle' }
  | { readonly state: 'saving' }
  | { readonly state: 'submitted'; readonly id: string }
  | { readonly state: 'failed'; readonly error: unknown }

export interface Submitting<I, O> {
  /**
   * The same function as long as client and contract are the same.
   * @throws as `submit` of the client
   */
  readonly submit: (input: I, options?: OutboxSubmitOptions) => Promise<OutboxHandle<O>>
  readonly submission: Submission
}

/** Submits tasks of one contract or queue from a component. A submission outlives the component. */
export function useSubmit<I, O>(contract: TaskContract<I, O, unknown, unknown>): Submitting<I, O>
export function useSubmit(queue: string): Submitting<unknown, unknown>
export function useSubmit(target: string | TaskContract<unknown, unknown>): Submitting<unknown, unknown> {
  const client = useOutboxClient()
  const [submission, setSubmission] = useState<Submission>({ state: 'idle' })
  const newest = useRef<object>(undefined)
  useEffect(
    () => () => {
      newest.current = undefined
    },
    [],
  )
  const submit = useCallback(
    async (input: unknown, options?: OutboxSubmitOptions): Promise<OutboxHandle> => {
      const own = {}
      newest.current = own
      const show = (next: Submission): void => {
        if (newest.current === own) setSubmission(next)
      }
      show({ state: 'saving' })
      try {
        // Two calls, because the client tells them apart by their types.
        const handle = await (typeof target === 'string'
          ? client.submit(target, input, options)
          : client.submit(target, input, options))
        show({ state: 'submitted', id: handle.id })
        return handle
      } catch (error) {
        show({ state: 'failed', error })
        throw error
      }
    },
    [client, target],
  )
  return { submit, submission }
}
