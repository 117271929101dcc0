import { packageBuild } from '../../build.config.ts'

export default packageBuild({
  directory: import.meta.dirname,
  faces: ['index', 'react/index', 'service-worker/index'],
  platform: 'neutral',
})
