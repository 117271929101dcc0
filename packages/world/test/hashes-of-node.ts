import type { TestProject } from 'vitest/node'
import { hashedRuns } from './hashed-runs.ts'

/** Before the tests in the browser: the same experiments in Node. */
export default async function provideHashes(project: TestProject): Promise<void> {
  project.provide('worldHashes', await hashedRuns())
}
