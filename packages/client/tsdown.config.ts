import { packageBuild } from '../../build.config.ts'

export default packageBuild({
  directory: import.meta.dirname,
  faces: ['index', 'outbox/index', 'outbox/store-cases'],
  platform: 'neutral',
})
