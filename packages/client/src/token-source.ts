/**
 * A token, or a function that gets one. The function is called before each connection, and again before the token
 * expires, so that a client outlives its tokens. The token is sent in a message and never in the URL.
 */
export type TokenSource = string | (() => string | Promise<string>)

/** @throws TypeError if the function returns no text; what the function throws */
export async function tokenFrom(source: () => string | Promise<string>): Promise<string> {
  const token: unknown = await source()
  if (typeof token !== 'string') throw new TypeError(`token() has to give a text, not ${typeof token}`)
  return token
}
