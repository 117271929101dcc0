import type { TestProject } from 'vitest/node'
import { makeProject, type Project } from './project.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The packed packages, and a fresh project in which they are installed. */
    consumer: Project
  }
}

/** Before the tests: what takes long is done once. */
export default async function provideProject(project: TestProject): Promise<() => void> {
  const { directory, tarballs, remove } = await makeProject()
  project.provide('consumer', { directory, tarballs })
  return remove
}
