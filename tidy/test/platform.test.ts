import { expect, test } from 'vitest'
import { checkPlatform } from '../src/platform.ts'
import { leafFiles } from '../src/rooms.ts'
import { report } from '../src/tree.ts'

const messages = (text: string, path = 'packages/engine/src/a.ts') => report(checkPlatform([{ path, text }]))

test.each([
  ['Date.now()', 'Date.now'],
  ['Date["now"]()', 'Date.now'],
  ['const now = Date.now', 'Date.now'],
  ['const { now } = Date', 'Date.now'],
  ['new Date()', 'new Date()'],
  ['Date()', 'Date()'],
  ['performance.now()', 'performance'],
  ['AbortSignal.timeout(1)', 'AbortSignal.timeout'],
  ['Math.random()', 'Math.random'],
  ['const { random } = Math', 'Math.random'],
  ['setTimeout(() => {}, 1)', 'setTimeout'],
  ['setInterval(() => {}, 1)', 'setInterval'],
  ['setImmediate(() => {})', 'setImmediate'],
  ['queueMicrotask(() => {})', 'queueMicrotask'],
  ['crypto.randomUUID()', 'crypto'],
  ['globalThis.crypto', 'globalThis'],
  ['window.setTimeout', 'window'],
  ['document.title', 'document'],
  ['navigator.onLine', 'navigator'],
  ['localStorage.clear()', 'localStorage'],
  ['new WebSocket("")', 'WebSocket'],
  ['process.env', 'process'],
  ['Buffer.from("")', 'Buffer'],
  ['const options = { setTimeout }', 'setTimeout'],
  ['const later = (wait = setTimeout) => wait', 'setTimeout'],
  ['(window as unknown as object)', 'window'],
  ['function a() { const crypto = 1; return crypto }\ncrypto.subtle', 'crypto'],
  ['import "node:fs"', 'the module node:fs'],
  ['import WebSocket from "ws"', 'the module ws'],
  ['await import("node:crypto")', 'the module node:crypto'],
])('%s is refused', (text, what) => {
  const line = text.split('\n').length
  expect(messages(text)).toEqual([`packages/engine/src/a.ts:${line} [platform] ${what} belongs in a leaf file`])
})

test.each([
  ['// Date.now() and setTimeout'],
  ['const text = "Date.now()"'],
  ['const text = `setTimeout ${"x"}`'],
  ['new Date(0).toISOString()'],
  ['Date.parse("2026-01-01T00:00:00Z")'],
  ['interface Clock { setTimeout(run: () => void): void }'],
  ['const clock = { setTimeout: (run: () => void) => run() }\nclock.setTimeout(() => {})'],
  ['function a(process: string) { return process }'],
  ['const { document } = { document: 1 }\nexport const b = document'],
  ['export type Socket = WebSocket | typeof globalThis.WebSocket'],
  ['class A { process() { return this.process } }'],
  ['for (const process of [1]) process.toFixed()'],
  ['new TextEncoder().encode(String(new AbortController().signal.aborted))'],
  ['structuredClone(await Promise.resolve(1))'],
  ['import { crypto } from "./source.ts"\nexport const c = crypto'],
])('%s is let through', (text) => {
  expect(messages(text)).toEqual([])
})

test('the rule holds in neutral directories and nowhere else', () => {
  expect(messages('Date.now()', 'packages/broker/src/core/host.ts')).toHaveLength(1)
  expect(messages('Date.now()', 'packages/broker/src/adapters/node-ws.ts')).toEqual([])
  expect(messages('Date.now()', 'packages/engine/test/a.test.ts')).toEqual([])
  for (const path of leafFiles) expect(messages('Date.now()', path)).toEqual([])
})
