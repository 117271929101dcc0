import { dirname } from 'node:path'
import { expect } from 'vitest'
import { CommandLine } from '../src/command-line.ts'
import { run } from '../src/run.ts'

/** The project's ES module, its CommonJS program and the command, on one Node. Each of them has tasks worked on. */
export async function expectPrograms(directory: string, node: string, name: string): Promise<void> {
  const version = (await run(node, ['--version'], { cwd: directory })).trim()
  expect(await run(node, ['program.js', `${name}-esm.db`], { cwd: directory })).toContain(`${version} ran it`)
  expect(await run(node, ['program.cjs', `${name}-cjs.db`], { cwd: directory })).toContain(`${version} ran it`)
  const sluice = new CommandLine(directory, dirname(node))
  try {
    const url = await sluice.broker(`${name}-cli.db`)
    sluice.start('worker', 'handlers.js', '--threads', '2', '--url', url)
    expect(await sluice.run('submit', 'consumer.greet', '{"name":"Ada"}', '--wait', '--url', url)).toContain(
      'hello Ada',
    )
  } finally {
    expect(await sluice.stopAll()).toEqual([0, 0])
  }
}
