import type { Scopes } from './scopes.ts'

/** The identity behind a connection or a request, from its token. */
export interface Principal {
  /** The `sub` of its token. */
  readonly id: string
  readonly scopes: Scopes
  /** ms since 1970. A token that was issued before its principal was revoked is refused. */
  readonly issuedAtMs: number
  /** ms since 1970. The principal may do nothing from then on. */
  readonly expiresAtMs: number
}

/** Authenticates clients. A broker without access control lets everybody do everything. */
export interface AccessControl {
  /**
   * @throws AccessError if the token is not valid; any other Error if it could not be checked, for example because keys
   * could not be fetched
   */
  authenticate(token: string | undefined): Promise<Principal>
}

/** Why a token is not accepted, for the holder of the token. */
export class AccessError extends Error {
  override readonly name = 'AccessError'
  readonly code: 'unauthorized' | 'token_expired'

  constructor(message: string, code: AccessError['code'] = 'unauthorized') {
    super(message)
    this.code = code
  }
}
