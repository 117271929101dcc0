import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that start many processes or wait for disks, the longest first. What is begun last should be short. */
const LONG = [
  'bench/test/torture.test.ts',
  'packages/cli/test/broker-command.test.ts',
  'packages/cli/test/commands.test.ts',
  'packages/broker/test/journal/sqlite.test.ts',
  'packages/cli/test/operate.test.ts',
  'packages/world/test/pinned.test.ts',
  'packages/world/test/seeds.test.ts',
  'consumer/test/install.test.ts',
  'bench/test/benches.test.ts',
  'bench/test/command.test.ts',
  'packages/cli/test/dev.test.ts',
  'packages/cli/test/readme.test.ts',
  'packages/worker-node/test/worker.test.ts',
  'bench/test/hostile.test.ts',
]

/** Begins with the long files of all projects. Vitest's own order, by project, leaves one of them to the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONG.findIndex((path) => moduleId.endsWith(`/${path}`))
      return index === -1 ? LONG.length : index
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}
