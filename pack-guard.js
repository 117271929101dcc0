// Runs before a package is packed or published, on whatever Node does it. Only pnpm puts versions in the place of `workspace:`
// and the built files in the place of the sources, and only a build makes those files.
import { existsSync } from 'node:fs'

const { npm_config_user_agent: agent = '', npm_execpath: program = '' } = process.env
// A script of pnpm's hands its own settings on to the npm that it calls.
const isPnpm = agent.startsWith('pnpm/') && !/npm-cli|yarn/.test(program)
const problem = !isPnpm
  ? 'npm would publish a package that cannot be installed. Use pnpm: pnpm publish, or pnpm pack.'
  : !existsSync('dist')
    ? 'there is nothing to pack: run pnpm build first.'
    : undefined
if (problem !== undefined) {
  console.error(`${process.env.npm_package_name ?? 'sluice'}: ${problem}`)
  process.exit(1)
}
