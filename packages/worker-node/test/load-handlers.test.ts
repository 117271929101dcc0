import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HandlerModuleError, loadHandlers } from '../src/index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-handlers-'))
})
afterAll(() => rm(folder, { recursive: true }))

let count = 0
/** Every module gets a name of its own: a module is loaded once in the life of a process. */
async function moduleOf(source: string, ending = 'mjs'): Promise<string> {
  count += 1
  const path = join(folder, `tasks-${count}.${ending}`)
  await writeFile(path, source)
  return path
}

const contracts = 'const a = { queue: "a" }; const b = { queue: "b" };'

describe('a module of handlers', () => {
  test('may map queues to functions in its default export', async () => {
    const path = await moduleOf('export default { greet: () => "hello", leave: async () => {} }')
    expect(Object.keys(await loadHandlers(path))).toEqual(['greet', 'leave'])
  })

  test('may map queues to handlers with a contract', async () => {
    const path = await moduleOf(`${contracts} export default { a: { contract: a, handle: () => 1 } }`)
    expect(await loadHandlers(path)).toEqual({ a: { contract: { queue: 'a' }, handle: expect.any(Function) } })
  })

  test('may export handlers with a contract by name, beside other things', async () => {
    const path = await moduleOf(
      `${contracts} export { a }; export const sizes = [1]; export const one = { contract: a, handle() {} }; export const two = { contract: b, handle() {} }`,
    )
    expect(Object.keys(await loadHandlers(path)).sort()).toEqual(['a', 'b'])
  })

  test('may be a list of handlers with a contract', async () => {
    const path = await moduleOf(`${contracts} export default [a, b].map((contract) => ({ contract, handle() {} }))`)
    expect(Object.keys(await loadHandlers(path))).toEqual(['a', 'b'])
  })

  test.each([
    ['module.exports', 'module.exports = { greet: () => 1 }', ['greet']],
    [
      'exports.default of compiled code',
      'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = { greet: () => 1 }',
      ['greet'],
    ],
    [
      'named exports of compiled code',
      'Object.defineProperty(exports, "__esModule", { value: true }); exports.one = { contract: { queue: "a" }, handle() {} }',
      ['a'],
    ],
  ])('may be CommonJS: %s', async (_, source, queues) => {
    const path = await moduleOf(source, 'cjs')
    // In a process of its own: Vitest has its own way to import CommonJS.
    const program = `
      const { loadHandlers } = await import('@sluice/worker-node')
      console.log(JSON.stringify(Object.keys(await loadHandlers(${JSON.stringify(path)}))))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
    })
    expect(JSON.parse(stdout)).toEqual(queues)
  })

  test('may be named by a file URL', async () => {
    const path = await moduleOf('export default { greet() {} }')
    expect(Object.keys(await loadHandlers(new URL(`file://${path}`)))).toEqual(['greet'])
  })
})

describe('a module that cannot be used is refused with', () => {
  test('its path, where there is no file', async () => {
    await expect(loadHandlers(join(folder, 'absent.ts'))).rejects.toThrow(
      `no module of handlers at ${folder}/absent.ts`,
    )
  })

  test('its own error, where it does not load', async () => {
    const path = await moduleOf('import "./nowhere.mjs"')
    await expect(loadHandlers(path)).rejects.toThrow(/does not load: .*nowhere/)
  })

  test('its syntax error', async () => {
    await expect(loadHandlers(await moduleOf('export default {'))).rejects.toBeInstanceOf(HandlerModuleError)
  })

  test('what to write, where it exports no handlers', async () => {
    await expect(loadHandlers(await moduleOf('export const limit = 3'))).rejects.toThrow(/exports no handlers: write/)
    await expect(loadHandlers(await moduleOf('export default {}'))).rejects.toThrow(/exports no handlers: write/)
    await expect(loadHandlers(await moduleOf('export default 7'))).rejects.toThrow(/not an object of handlers/)
  })

  test('the name of what is no handler', async () => {
    const path = await moduleOf('export default { greet: "hello" }')
    await expect(loadHandlers(path)).rejects.toThrow("the handler for 'greet' is of type string")
  })

  test('the name of a queue that can be none', async () => {
    const path = await moduleOf("export default { 'bad name': () => 1 }")
    await expect(loadHandlers(path)).rejects.toThrow('"bad name" is no queue name')
    await expect(loadHandlers(path)).rejects.toBeInstanceOf(HandlerModuleError)
  })

  test('both names, where a handler and its contract differ', async () => {
    const path = await moduleOf(`${contracts} export default { b: { contract: a, handle() {} } }`)
    await expect(loadHandlers(path)).rejects.toThrow("the handler is named 'b', but its contract is for the queue 'a'")
  })

  test('the queue that has two handlers', async () => {
    const path = await moduleOf(
      `${contracts} export const x = { contract: a, handle() {} }; export const y = { contract: a, handle() {} }`,
    )
    await expect(loadHandlers(path)).rejects.toThrow("two handlers for the queue 'a'")
  })
})
