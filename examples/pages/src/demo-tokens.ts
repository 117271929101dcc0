import { signToken } from '@sluice/broker'
import type { Connect, Plugin } from 'vite'

export const TOKEN_PATH = '/demo-token'

/** It is renewed by the page, so it may be short. */
const TOKEN_MS = 10 * 60 * 1000
const USER = /^[\w-]{1,64}$/

/**
 * Hands out a token for whatever user a page names. That is right for a demo on one machine and for nothing else: a real
 * server gives a token only to the user who is signed in there.
 * @param secret the broker's
 */
export function demoTokens(secret: string): Plugin {
  const answer: Connect.NextHandleFunction = (request, response) => {
    const user = new URL(request.url ?? '', 'http://page').searchParams.get('user') ?? ''
    const site = request.headers['sec-fetch-site']
    const isOwnPage = site === undefined || site === 'same-origin'
    if (request.method !== 'GET' || !isOwnPage || !USER.test(user)) {
      response.writeHead(403).end('A page of this server may ask with ?user=NAME.')
      return
    }
    signToken(secret, { sub: user, scope: 'submit work' }, TOKEN_MS).then(
      (token) => response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(token),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  }
  return {
    name: 'demo-tokens',
    configureServer: ({ middlewares }) => {
      middlewares.use(TOKEN_PATH, answer)
    },
  }
}
