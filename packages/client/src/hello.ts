import { type Hello, type Labels, VERSIONS } from '@sluice/protocol'
import type { SessionOwner } from './session-owner.ts'

interface Introduction {
  name?: string | undefined
  labels?: Labels | undefined
  token: string | undefined
  /** The halves of the session. */
  owners: readonly SessionOwner[]
  /** The session to resume. */
  session: string | null
}

/** The first message of a connection. */
export function helloOf({ name, labels, token, owners, session }: Introduction): Hello {
  const begun = owners.find(({ role }) => role === 'worker')?.begunLease?.()
  const leases = owners.flatMap((owner) => owner.heldLeases())
  return {
    type: 'hello',
    versions: [...VERSIONS],
    roles: owners.map(({ role }) => role),
    ...(begun === undefined ? {} : { begins: true }),
    ...(name === undefined ? {} : { name }),
    ...(labels === undefined ? {} : { labels }),
    ...(token === undefined ? {} : { token }),
    ...(session === null ? {} : { resume: { session, leases, ...(begun === undefined ? {} : { begun }) } }),
  }
}
